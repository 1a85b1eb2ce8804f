"""What launchers share that carry the agent protocol to where there is no standard input and output.

- `launcher.run` runs a launcher until its input ends, and says what went wrong;
- `lifeline.start` starts a process that never outlives the launcher;
- `stdio.Stdio` is this process's end of the agent protocol;
- `websocket.connect` and `websocket.serve` carry it over one WebSocket, verbatim, in either role;
- `bundler.bundle` makes one script of the agent, the implementation under test and the IDL tree.

Each is imported by itself: a launcher has to be quick, and none needs them all.
"""
