"""PGGAN at 64x64 on a folder of faces (data/anime, or --data_path): the original's defaults"""
system = "pggan"
data_path = "./data/anime"
endRes = 64
