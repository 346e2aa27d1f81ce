"""The overheads of a device, learnt by calibrating it, and whether a network fits there."""
