"""The main job as its users do it: dossiers through every ending, a portal that misbehaves, then the proof."""
