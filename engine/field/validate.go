package field

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// validate returns the errors of a typed value that is not empty.
func validate(s *Spec, value any) []string {
	var problems []string
	add := func(problem string) {
		if problem != "" {
			problems = append(problems, problem)
		}
	}
	if s.Display == Dropdown && len(s.Options) > 0 {
		add(oneOf(value, optionValues(s.Options)))
	}
	for _, v := range s.Validations {
		add(validateOne(v, value))
	}
	return problems
}

func validateOne(v Validation, value any) string {
	switch v.Type {
	case LessThan, GreaterThan:
		return validateOrder(v, value)
	case ListType:
		return validateMembers(v, value)
	case IncludedIn:
		allowed, complaint := toList(v.Constraint)
		if complaint != "" {
			return "has a list of choices that is not a list"
		}
		return oneOf(value, allowed.([]string))
	case Regex:
		text, ok := value.(string)
		if !ok {
			return "must be text"
		}
		pattern, err := compile(v.Constraint)
		if err != nil {
			return "has a pattern that does not compile"
		}
		if !pattern.MatchString(text) {
			return fmt.Sprintf("must match %s from beginning to end", v.Constraint)
		}
		return ""
	}
	return fmt.Sprintf("has the unknown validation %q", v.Type)
}

func validateOrder(v Validation, value any) string {
	limit, complaint := toFloat(v.Constraint)
	if complaint != "" || limit == nil {
		return "has a limit that is not a number"
	}
	number, complaint := toFloat(value)
	if complaint != "" {
		return complaint
	}
	got, bound := number.(float64), limit.(float64)
	switch {
	case v.Type == LessThan && got >= bound:
		return fmt.Sprintf("must be less than %v", v.Constraint)
	case v.Type == GreaterThan && got <= bound:
		return fmt.Sprintf("must be greater than %v", v.Constraint)
	}
	return ""
}

func validateMembers(v Validation, value any) string {
	members, ok := value.([]string)
	if !ok {
		return "must be a list"
	}
	switch v.Constraint {
	case "str":
		return ""
	case "int":
		for _, m := range members {
			if _, complaint := toInt(m); complaint != "" {
				return "must be a list of integers"
			}
		}
		return ""
	}
	return fmt.Sprintf("has the unknown member type %q", fmt.Sprint(v.Constraint))
}

// oneOf checks a value, or every member of a list, against the choices.
func oneOf(value any, allowed []string) string {
	members, isList := value.([]string)
	if !isList {
		text, complaint := toStr(value)
		if b, ok := value.(bool); ok {
			text, complaint = fmt.Sprint(b), ""
		}
		if complaint != "" {
			return complaint
		}
		members = []string{text.(string)}
	}
	for _, m := range members {
		if !slices.Contains(allowed, m) {
			if isList {
				return "may hold only: " + strings.Join(allowed, ", ")
			}
			return "must be one of: " + strings.Join(allowed, ", ")
		}
	}
	return ""
}

// compile makes a pattern that matches only the complete text.
func compile(constraint any) (*regexp.Regexp, error) {
	text, ok := constraint.(string)
	if !ok {
		return nil, fmt.Errorf("the pattern is a %T, not text", constraint)
	}
	return regexp.Compile(`\A(?:` + text + `)\z`)
}

func optionValues(options []Option) []string {
	out := make([]string, len(options))
	for i, o := range options {
		out[i] = o.Value
	}
	return out
}
