"""Pictures: rules from numbers to bytes, sheets, walks between latents, curves, saving."""
