"""The console: pages for those who ask and for those who review. Rendered here, in one piece; scripts only make them quicker."""
