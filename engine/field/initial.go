package field

// Initial returns the typed value that a field has when nothing is given for it; nil for none.
func Initial(s *Spec) any {
	for _, raw := range []any{s.Value, s.Default} {
		if value, complaint := convert(s.kind(), raw); complaint == "" && !empty(value) {
			return value
		}
	}
	return nil
}
