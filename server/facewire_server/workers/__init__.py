"""Several processes that serve one port: their parent starts, watches, replaces and stops them.

The parent loads no engine, no gRPC and no LMDB: they break in a process that was forked after they began. A worker is a new
Python, `facewire-server work`, which gets the settings as variables and one end of a pair of sockets.
"""
