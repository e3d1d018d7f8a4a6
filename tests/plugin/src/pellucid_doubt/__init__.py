"""A method for pellucid: which pixels make a network unsure."""
