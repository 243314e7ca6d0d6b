"""The line: from the bytes of a picture to decisions about the faces in it."""
