package objects

import "github.com/elastic-ingest/elastic-ingest/engine/field"

// NamesField is the list of buckets, see [ParseNames].
func NamesField(name, label string, order int, tooltip string) field.Spec {
	return field.Spec{Name: name, Label: label, Order: order, Type: field.List, Display: field.TextArea, Tooltip: tooltip}
}

// Text is an optional text of the long form.
func Text(name, label string, order int, tooltip string) field.Spec {
	return field.Spec{Name: name, Label: label, Order: order, Optional: true, Advanced: true, Tooltip: tooltip}
}

// Secret is an optional secret of the long form.
func Secret(name, label string, order int, tooltip string) field.Spec {
	s := Text(name, label, order, tooltip)
	s.Sensitive = true
	return s
}

// Number is an optional positive number of the long form.
func Number(name, label string, order, byDefault int, tooltip string) field.Spec {
	s := Text(name, label, order, tooltip)
	s.Type, s.Display, s.Default = field.Int, field.Numeric, byDefault
	s.Validations = []field.Validation{{Type: field.GreaterThan, Constraint: 0}}
	return s
}

// Retries is how often a failed request is repeated.
func Retries(name, label string, order, byDefault int) field.Spec {
	s := Number(name, label, order, byDefault, "How often a failed request is repeated. 0: never.")
	s.Validations[0].Constraint = -1
	return s
}

// Toggle is an optional switch of the long form.
func Toggle(name, label string, order int, byDefault bool, tooltip string) field.Spec {
	s := Text(name, label, order, tooltip)
	s.Type, s.Display, s.Default = field.Bool, field.Toggle, byDefault
	return s
}
