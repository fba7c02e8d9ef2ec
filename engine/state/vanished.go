package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// vanished is the form of the file.
type vanished struct {
	Of     string   `json:"of"`
	Scopes []string `json:"scopes"`
}

func (d Dir) vanishedFile(destination, index string) string {
	return filepath.Join(string(d), "vanished", Key(destination, index)+".json")
}

// Vanished lists the scopes that were kept last for an index of a destination; none when what was kept
// is of something else.
func (d Dir) Vanished(destination, index, of string) ([]string, error) {
	raw, err := os.ReadFile(d.vanishedFile(destination, index))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("state folder: %w", err)
	}
	var v vanished
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("state folder: %s: %w: remove the file", d.vanishedFile(destination, index), err)
	}
	if v.Of != of {
		return nil, nil
	}
	return v.Scopes, nil
}

// KeepVanished keeps scopes for the next run in place of those that were kept before. The file is
// replaced as a whole or not at all.
func (d Dir) KeepVanished(destination, index, of string, scopes []string) error {
	file := d.vanishedFile(destination, index)
	if len(scopes) == 0 {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("state folder: %w", err)
		}
		return nil
	}
	raw, err := json.Marshal(vanished{of, scopes})
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err == nil {
		err = replace(file, raw)
	}
	if err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	return nil
}

// replace puts a file of mode 0600 in the place of another.
func replace(file string, raw []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
