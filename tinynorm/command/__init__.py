"""The console command `tinynorm`: its file loading, the inputs it draws, and its pages."""
