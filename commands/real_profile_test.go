package commands_test

import "testing"

// TestTheProfileOfAFilledIndexChanges: every row gets another id, so all documents are written anew,
// and the guard holds the former ones back until somebody agrees. Then nothing differs any more.
func TestTheProfileOfAFilledIndexChanges(t *testing.T) {
	t.Parallel()
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(threeTables)
		b.grantAll()
		b.must(0, "sync")
		for _, profile := range []string{"seed87", "native", "head"} {
			b.configure("    profile: " + profile + "\n")
			if res := b.must(4, "sync"); res != (result{Exit: 4, Created: 90, Withheld: 90}) {
				t.Fatalf("to %s: %+v", profile, res)
			}
			if res := b.must(0, "sync", "--confirm-deletes", "90"); res != (result{Kept: 90, Deleted: 90}) {
				t.Fatalf("to %s, confirmed: %+v", profile, res)
			}
			if res := b.must(0, "diff"); res != (result{Kept: 90}) {
				t.Fatalf("%s: %+v", profile, res)
			}
		}
	})
}
