package config

import "strings"

// A Name is the name or id of a connector in a configuration file, and its service type.
type Name struct{ Name, ServiceType string }

// Names returns the names of the connectors in a file, or the ids of those of Elasticsearch, without loading it:
// nothing is substituted, no secret is fetched, and errors yield fewer names. It is for completion, which must
// work while the file is being written.
func Names(file string) (names []Name) {
	if regular(file) != nil { // a pipe could block
		return nil
	}
	data, err := readFile(file, maxFile)
	if err != nil {
		return nil
	}
	root, bad := parseFile(file, file, data)
	if bad != nil {
		return nil
	}
	l := &loader{origin: &origin{file: file}}
	for _, o := range l.object("", root).sections("connectors") {
		plain := func(key string) string {
			n := o.take(key)
			if n == nil || n.kind == null || n.kind == list || n.kind == section || strings.Contains(n.text, "$") {
				return ""
			}
			return n.text
		}
		c := Connector{Name: plain("name"), ConnectorID: plain("connector_id"), ServiceType: plain("service_type")}
		before := len(l.errs)
		l.checkIdentity(o, &Connector{Name: c.Name, ConnectorID: c.ConnectorID, ServiceType: "any"})
		if len(l.errs) > before { // no command accepts such a name
			continue
		}
		if c.Name == "" {
			c.Name = c.ConnectorID
		}
		names = append(names, Name{c.Name, c.ServiceType})
	}
	return names
}
