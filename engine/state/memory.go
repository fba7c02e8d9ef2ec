package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
)

// memory is the form of a file that one run keeps for the next: of identifies its subject, so that it is
// not mistaken for another of the same name.
type memory[T any] struct {
	Of   string `json:"of"`
	Kept T      `json:"kept"`
}

// recall reads a file; the zero value if there is none, or if it has another subject.
func recall[T any](file, of string) (kept T, err error) {
	if err := ownfile.Check(file); err != nil {
		return kept, fmt.Errorf("state folder: %w", err)
	}
	raw, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return kept, nil
	case err != nil:
		return kept, fmt.Errorf("state folder: %w", err)
	}
	var m memory[T]
	if err := json.Unmarshal(raw, &m); err != nil {
		return kept, fmt.Errorf("state folder: %s: %w: remove the file", file, err)
	}
	if m.Of != of {
		return kept, nil
	}
	return m.Kept, nil
}

// keep replaces a file, completely or not at all.
func keep[T any](file, of string, kept T) error {
	raw, err := json.Marshal(memory[T]{of, kept})
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err == nil {
		err = ownfile.Replace(file, raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	return nil
}

// forget removes a file that was kept, if there is one.
func forget(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("state folder: %w", err)
	}
	return nil
}

func (d Dir) vanishedFile(destination, index string) string {
	return filepath.Join(string(d), "vanished", Key(destination, index)+".json")
}

// Vanished lists the scopes that were last kept for an index of a destination; none if they were kept
// for another subject.
func (d Dir) Vanished(destination, index, of string) ([]string, error) {
	return recall[[]string](d.vanishedFile(destination, index), of)
}

// KeepVanished keeps scopes for the next run, instead of those that were kept before. The file is
// replaced completely or not at all.
func (d Dir) KeepVanished(destination, index, of string, scopes []string) error {
	file := d.vanishedFile(destination, index)
	if len(scopes) > 0 {
		return keep(file, of, scopes)
	}
	return forget(file)
}

func (d Dir) turnsFile(destination, index string) string {
	return filepath.Join(string(d), "turns", Key(destination, index)+".json")
}

// Turns returns when the scopes of an index were read, in seconds since 1970; nothing if they were kept
// for another subject.
func (d Dir) Turns(destination, index, of string) (map[string]int64, error) {
	return recall[map[string]int64](d.turnsFile(destination, index), of)
}

// KeepTurns keeps the times, instead of those that were kept before.
func (d Dir) KeepTurns(destination, index, of string, turns map[string]int64) error {
	return keep(d.turnsFile(destination, index), of, turns)
}

// LastTurn is when KeepTurns was last called for an index; the zero time if never.
func (d Dir) LastTurn(destination, index string) time.Time {
	info, err := os.Stat(d.turnsFile(destination, index))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
