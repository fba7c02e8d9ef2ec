package config

// overrideVariable names a second YAML file, whose login to Elasticsearch and
// log level replace those of the configuration. Enterprise Search sets it for
// the programs that it starts.
const overrideVariable = "ENT_SEARCH_CONFIG_PATH"

// overridingFile returns an entry, with a dotted key, for each relevant value of
// the second file. The rest of it belongs to other programs.
func (l *loader) overridingFile() ([]entry, *Error) {
	named, ok := l.env.lookup(overrideVariable)
	if !ok || named == "" {
		return nil, nil
	}
	file := absolute(l.dir, named)
	if bad := l.nameFile(overrideVariable, file); bad != nil {
		return nil, bad
	}
	data, err := readFile(file, maxFile)
	if err != nil {
		return nil, &Error{File: file, Problem: reason(err)}
	}
	root, bad := parseFile(file, file, data)
	if bad != nil {
		return nil, bad
	}
	root.mark(file)
	return l.overriding(l.object("", root)), nil
}

// overriding returns the relevant entries of the second file.
func (l *loader) overriding(o *object) []entry {
	var out []entry
	set := func(key string, n *node) {
		if n != nil && n.kind != null {
			out = append(out, entry{key: key, at: n.at, value: n})
		}
	}
	login := o.section("elasticsearch")
	for _, name := range []string{"host", "username", "password"} {
		set(login.key(name), login.take(name))
	}
	headers := login.section("headers") // merged with those of the configuration
	for _, e := range headers.pairs() {
		set(headers.key(e.key), e.value)
	}
	set("service.log_level", o.take("log_level"))
	return out
}

// mark records that a node, and everything below it, is in another file.
func (n *node) mark(file string) {
	n.at.override = file
	for _, member := range n.list {
		member.mark(file)
	}
	for i := range n.entries {
		n.entries[i].at.override = file
		n.entries[i].value.mark(file)
	}
}
