"""PGGAN at 64x64 on a folder of faces (data/, one or more sub-folders): the original's defaults."""
system = "pggan"
data_path = "./data/"
endRes = 64
