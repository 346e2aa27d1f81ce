"""The machine that trains: devices, processes, signals, prefetching."""
