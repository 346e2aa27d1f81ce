"""`gridgen calibrate`: measure a device, so that memory is predicted better there."""

def calibrate() -> None:
    """Measure a few networks on this device and keep what arithmetic cannot know of it."""
    raise NotImplementedError
