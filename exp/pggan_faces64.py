"""PGGAN at 64x64 on a folder of faces (data/anime, or --data_path): the original's defaults

./train.py pggan_faces64
Minutes and score: not measured here
"""
system = "pggan"
data_path = "./data/anime"
endRes = 64
