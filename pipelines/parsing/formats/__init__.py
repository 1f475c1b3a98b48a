"""One reader per format. Every reader runs in a child process that holds one document and nothing else."""
