"""What storages on LMDB share: environments, transactions, the threads that run them, and the folder they lie in."""
