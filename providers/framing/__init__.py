"""Bytes to frames: incremental, without input or output, one file per framing.

A framing finds where a frame begins and ends, and where in the body that was. What a frame says is
its decoder's business: data stay bytes, and bad UTF-8 or bad JSON inside a frame is no fault here.
Every class has the two verbs of ``providers.wire.Framing``, and any cut of the bytes gives the same
frames. The work is linear in the bytes, and what is held is the unfinished frame, of bounded size.
"""
