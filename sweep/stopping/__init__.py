"""Which trials are stopped before their last epoch, and why: no Ray, no files, no clock."""
