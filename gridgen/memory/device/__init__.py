"""What a device adds to what is counted, learnt by calibrating it, and whether a network fits."""
