package config

import "slices"

// A Kind is how the value of a key is read.
type Kind uint8

// The kinds of values, named as in docs/CONFIG.md.
const (
	Anything Kind = iota // not checked here
	Text                 // a scalar
	Choice               // one of several words, in any case
	Boolean              // true or false, or a word for them
	Integer              // from Least to Most
	Number               // the same, with a fraction
	Duration             // seconds, or a text such as 5m
	Size                 // a number of units, or a text such as 64MiB
	Words                // a list of text, or one text with commas
	SecretOf             // a secret
	Command              // a list of text: a program and its arguments
	Section              // keys
	Sections             // a list of sections
	NoEffect             // accepted and ignored
)

// A Key is one key that [Load] accepts.
type Key struct {
	Name string
	Kind Kind
	// Choices are the words of a Choice, and Synonyms further words that are accepted for them.
	Choices, Synonyms []string
	// Least and Most are the limits of a number; those of a Duration in seconds, of a Size in units.
	Least, Most float64
	// Default is the value without the key, as it could be written; empty for none.
	Default string
	// Required is set if the file is not valid without the key, in a section that is there.
	Required bool
	// Keys are the keys of a Section, or of each member of Sections.
	Keys []*Key
	// Free means that a Section holds any keys; their values are of the kind Values.
	Free   bool
	Values Kind
	// OrText means that one text may replace a Section.
	OrText bool
}

// Describe returns all keys that [Load] accepts, below a nameless section. It lets the loader read an empty
// file and records what it looks for, so the two cannot differ.
func Describe() *Key {
	root := &Key{Kind: Section}
	l := &loader{origin: &origin{}, config: defaults(), run: func([]string) (string, error) { return "", nil }}
	l.root(&object{l: l, shape: root})
	root.require(l.errs, "")
	return root
}

// require marks the keys whose absence the loader reported.
func (k *Key) require(errs Errors, path string) {
	for _, below := range k.Keys {
		full := path + below.Name
		below.Required = slices.ContainsFunc(errs, func(e *Error) bool { return e.Key == full && e.Problem == missing })
		if below.Kind == Sections {
			full += "[0]"
		}
		below.require(errs, full+".")
	}
}

// describe records a key of the section, if keys are being recorded. A key that is read twice is described by
// the first.
func (o *object) describe(k Key) *Key {
	if o.shape == nil {
		return nil
	}
	for _, known := range o.shape.Keys {
		if known.Name == k.Name {
			return known
		}
	}
	o.shape.Keys = append(o.shape.Keys, &k)
	return &k
}

// free records that the section holds any keys, with values of one kind.
func (o *object) free(values Kind) {
	if o.shape != nil {
		o.shape.Free, o.shape.Values = true, values
	}
}
