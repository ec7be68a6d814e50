"""What the door adds where a server speaks the Responses API itself."""
