// The complete local deployment starts here.
process.exitCode = 0;
