# bash completion for elastic-ingest

_elastic_ingest() {
    local IFS=$' \t\n'
    local program=$1 rest=${COMP_LINE:0:COMP_POINT} piece="" quote="" kind line value i glued
    local -a words
    words=()
    COMPREPLY=()
    [[ $program == "~/"* ]] && program=$HOME/${program:2}

    # Bash splits words at = and :, which are parts of flags and names: join what the line joins.
    rest=${rest#*"${COMP_WORDS[0]}"}
    for ((i = 1; i <= COMP_CWORD; i++)); do
        glued=yes
        while [[ $rest == [[:space:]]* ]]; do
            rest=${rest#?}
            glued=""
        done
        piece=${COMP_WORDS[i]}
        [[ ${#piece} -gt ${#rest} ]] && piece=$rest
        rest=${rest#"$piece"}
        if [[ -n $glued && ${#words[@]} -gt 0 ]]; then
            words[${#words[@]} - 1]+=$piece
        else
            words+=("$piece")
        fi
    done
    local last=${#words[@]}
    ((last > 0)) || return 0
    ((last--))
    [[ $piece == [=:] ]] && piece=""
    local before=${words[last]%"$piece"}

    if [[ $piece == [\"\']* ]]; then
        quote=${piece:0:1}
        words[last]=$before${piece:1}
    else
        words[last]=${words[last]//\\/}
        before=${before//\\/}
    fi
    words[last]=.${words[last]}

    {
        read -r kind || return 0
        case $kind in
        files | folders)
            compopt -o filenames 2>/dev/null
            while IFS= read -r value; do
                COMPREPLY+=("$value")
            done < <(if [[ $kind == folders ]]; then compgen -d -- "$piece"; else compgen -f -- "$piece"; fi)
            return 0
            ;;
        esac
        while IFS= read -r line; do
            value=${line%%$'\t'*}
            value=${value#"$before"}
            if [[ -z $quote ]]; then
                printf -v value %q "$value"
            elif [[ $value == *[\"\'\\\$\`!]* ]]; then
                continue
            fi
            COMPREPLY+=("$value")
        done
    } < <("$program" __complete "${words[@]}" 2>/dev/null)
}

complete -F _elastic_ingest elastic-ingest
