// Where this is set, Node colours what the processes print that tests start.
delete process.env.FORCE_COLOR
