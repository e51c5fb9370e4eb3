"""From a video to bodies in space, by MediaPipe's pose model and OpenCV, which are an extra."""
