package config

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// A Secret is a text that cannot be printed: fmt, JSON, TOML, YAML and slog all
// show dots instead. The zero Secret is empty.
//
// The text is a pointer so that fmt prints an address if it meets a
// Secret in a field whose methods it cannot call.
type Secret struct{ text *string }

// NewSecret makes a secret from text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == nil }

// Equal reports whether both are the same text.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String returns dots, or nothing for an empty secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return field.Hidden
}

// Format writes what [Secret.String] returns, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText is what JSON and TOML encoders write.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML is what YAML encoders write.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// LogValue is what slog writes.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Headers are extra HTTP headers. Because a header may contain a token, printing
// them shows only the names.
type Headers map[string]string

// Format writes the names with hidden values, whatever the verb.
func (h Headers) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hideAll(h)) }

// MarshalJSON writes an object with hidden values.
func (h Headers) MarshalJSON() ([]byte, error) { return json.Marshal(hiddenMap(h)) }

// MarshalYAML writes a mapping with hidden values.
func (h Headers) MarshalYAML() (any, error) { return hiddenMap(h), nil }

// LogValue is what slog writes.
func (h Headers) LogValue() slog.Value { return slog.StringValue(hideAll(h)) }

// Configuration holds the raw values of a source's fields. This package does
// not know which of them are sensitive, so printing hides them all; once
// parsed, [field.Values] shows the public ones.
type Configuration map[string]any

// Format writes the keys with hidden values, whatever the verb.
func (c Configuration) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hideAll(c)) }

// MarshalJSON writes an object with hidden values.
func (c Configuration) MarshalJSON() ([]byte, error) { return json.Marshal(hiddenMap(c)) }

// MarshalYAML writes a mapping with hidden values.
func (c Configuration) MarshalYAML() (any, error) { return hiddenMap(c), nil }

// LogValue is what slog writes.
func (c Configuration) LogValue() slog.Value { return slog.StringValue(hideAll(c)) }

func hiddenMap[V any](m map[string]V) map[string]string {
	hidden := make(map[string]string, len(m))
	for k := range m {
		hidden[k] = field.Hidden
	}
	return hidden
}

func hideAll[V any](m map[string]V) string {
	pairs := make([]string, 0, len(m))
	for k := range m {
		pairs = append(pairs, k+"="+field.Hidden)
	}
	slices.Sort(pairs)
	return "{" + strings.Join(pairs, " ") + "}"
}
