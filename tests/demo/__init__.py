"""The demo's own judgement."""
