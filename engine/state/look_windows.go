package state

// writable cannot be answered without writing: permissions are lists that only the system evaluates.
func writable(string) error { return nil }
