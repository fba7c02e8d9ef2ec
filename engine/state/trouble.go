package state

import (
	"path/filepath"
	"time"
)

// Trouble is the failures of a connector since it last worked, as far as they were reported.
type Trouble struct {
	Since time.Time `json:"since"` // the first failure
	Job   bool      `json:"job"`   // a sync failed, so only a sync shows that the connector works again
	// Said is when each failure was last reported, by a fingerprint of its text.
	Said map[string]time.Time `json:"said"`
}

func (d Dir) troubleFile(destination, connector string) string {
	return filepath.Join(string(d), "trouble", Key(destination, connector)+".json")
}

// Trouble returns what was kept for a connector; the zero Trouble if nothing was.
func (d Dir) Trouble(destination, connector string) (Trouble, error) {
	return recall[Trouble](d.troubleFile(destination, connector), connector)
}

// KeepTrouble replaces what is kept for a connector; the zero Trouble removes it.
func (d Dir) KeepTrouble(destination, connector string, t Trouble) error {
	file := d.troubleFile(destination, connector)
	if len(t.Said) > 0 {
		return keep(file, connector, t)
	}
	return forget(file)
}
