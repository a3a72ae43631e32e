"""What people see: register, layout, callbacks; a page never computes."""
