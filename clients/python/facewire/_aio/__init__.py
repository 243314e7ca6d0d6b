"""The client for asyncio. `_sync` has the blocking twins, file by file."""
