"""The neutral system: any cure on any network, put together from the house's parts. It follows no
original."""
