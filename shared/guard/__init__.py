"""What stands before every process: limits of size, shape, time and number, and HTTP that can be read in one way."""

from shared.guard.door import Guard as Guard
from shared.guard.refusals import BodyTooLarge as BodyTooLarge
from shared.guard.rooms import Room as Room
from shared.guard.rooms import room_for_files as room_for_files
from shared.guard.rooms import rooms_of as rooms_of
