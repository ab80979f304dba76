# bash completion for rnetc
_rnetc()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local options='--output= --header= --prefix= --fuse-optimizer= --no-fuse -M
        -MD -MF -MT -MP -D --network= -I --check --summary --summary=json
        --batch= --threads= --report=fusion --machine= --dot --dump= -Wall -Werror -Wno- -w -fmax-errors= -fdiagnostics-format=
        --color= --library --library= --help --version'

    case $before$word in
    *--dump=*)
        COMPREPLY=($(compgen -W 'ast graph grad fuse plan c' -- "${word#*=}")) ;;
    *--fuse-optimizer=*)
        COMPREPLY=($(compgen -W 'sgd momentum adam adamw' -- "${word#*=}")) ;;
    *--color=*)
        COMPREPLY=($(compgen -W 'always never auto' -- "${word#*=}")) ;;
    *--library=*)
        COMPREPLY=($(compgen -W "$(rnetc --library 2>/dev/null | sed 's/ .*//')" \
                       -- "${word#*=}")) ;;
    *)
        case $word in
        -*) COMPREPLY=($(compgen -W "$options" -- "$word"))
            [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace ;;
        *)  COMPREPLY=($(compgen -f -X '!*.rnet' -- "$word")
                       $(compgen -d -S / -- "$word")) ;;
        esac ;;
    esac
}
complete -F _rnetc rnetc
