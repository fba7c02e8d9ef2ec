#compdef elastic-ingest
# zsh completion for elastic-ingest

_elastic_ingest() {
    local -a lines values shown typed
    local line value
    typed=("${(@Q)words[2,CURRENT-1]}")
    lines=("${(@f)$("${(Q)words[1]/#\~\//$HOME/}" __complete "${typed[@]}" ".${(Q)PREFIX}" 2>/dev/null)}")
    case $lines[1] in
    files)
        compset -P '--[a-z-]##='
        _files
        return
        ;;
    folders)
        compset -P '--[a-z-]##='
        _files -/
        return
        ;;
    esac
    for line in "${(@)lines[2,-1]}"; do
        value=${line%%$'\t'*}
        values+=("$value")
        if [[ $line == *$'\t'?* ]]; then
            shown+=("$value  ${line#*$'\t'}")
        else
            shown+=("$value")
        fi
    done
    (($#values)) && compadd -l -d shown -a -- values
}

# Loaded from a folder of completions, this file is the function itself.
if [[ $funcstack[1] == _elastic_ingest ]]; then
    _elastic_ingest "$@"
else
    compdef _elastic_ingest elastic-ingest
fi
