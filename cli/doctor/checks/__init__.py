"""The checks of the doctor, one file per topic. A check takes a deployment and returns one finding."""
