/* SPDX-License-Identifier: Apache-2.0 */
/* What each shell is told once; what fits it then asks `qvmadm complete`, which knows the verbs. */
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "client/command.h"
#include "client/show/problem.h"

static const char bash[] =
	"# bash completion of qvmadm: qvmadm completion bash\n"
	"_qvmadm()\n"
	"{\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} cur words\n"
	"\n"
	"\t# bash splits at = and :, a condition such as state=running is one word here.\n"
	"\tread -r -a words <<< \"$line\"\n"
	"\t[[ $line == *[[:space:]] ]] && words+=(\"\")\n"
	"\tcur=${words[-1]}\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$(\"${words[0]}\" complete -- \"${words[@]:1}\" "
	"2> /dev/null)\" -- \"$cur\")\n"
	"\t[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/] ]] && compopt -o nospace\n"
	"\t# What readline replaces is only what follows the last separator.\n"
	"\t[[ $cur == *[=:]* ]] && "
	"COMPREPLY=(\"${COMPREPLY[@]#\"${cur%\"${cur##*[=:]}\"}\"}\")\n"
	"}\n"
	"\n"
	"complete -o default -F _qvmadm qvmadm\n";

static const char zsh[] =
	"#compdef qvmadm\n"
	"# zsh completion of qvmadm: qvmadm completion zsh\n"
	"_qvmadm()\n"
	"{\n"
	"\tlocal -a found open closed shown_open shown_closed\n"
	"\tlocal line word\n"
	"\n"
	"\tfound=(\"${(@f)$(\"${words[1]}\" complete --describe -- \"${(@)words[2,CURRENT]}\" 2> "
	"/dev/null)}\")\n"
	"\tfor line in $found; do\n"
	"\t\tword=${line%%$'\\t'*}\n"
	"\t\t[[ $line == *$'\\t'* ]] && line=\"$word  -- ${line#*$'\\t'}\"\n"
	"\t\tif [[ $word == *[=/] ]]; then\n"
	"\t\t\topen+=(\"$word\") shown_open+=(\"$line\")\n"
	"\t\telse\n"
	"\t\t\tclosed+=(\"$word\") shown_closed+=(\"$line\")\n"
	"\t\tfi\n"
	"\tdone\n"
	"\t[[ -z $open$closed ]] && { _files; return }\n"
	"\t(($#open)) && compadd -l -S '' -d shown_open -a open\n"
	"\t(($#closed)) && compadd -l -d shown_closed -a closed\n"
	"}\n"
	"\n"
	"if [[ $funcstack[1] == _qvmadm ]]; then\n"
	"\t_qvmadm \"$@\"\n"
	"else\n"
	"\tcompdef _qvmadm qvmadm\n"
	"fi\n";

static const char fish[] =
	"# fish completion of qvmadm: qvmadm completion fish\n"
	"function __qvmadm_complete\n"
	"\tset -l typed (commandline -opc)\n"
	"\tset -l last (commandline -ct)\n"
	"\tset -l found ($typed[1] complete --describe -- $typed[2..-1] \"$last\" 2>/dev/null)\n"
	"\tif test (count $found) -eq 0\n"
	"\t\t__fish_complete_path \"$last\"\n"
	"\telse\n"
	"\t\tprintf '%s\\n' $found\n"
	"\tend\n"
	"end\n"
	"\n"
	"complete -c qvmadm -f -a '(__qvmadm_complete)'\n";

static int run(struct command_call *c)
{
	static const struct {
		const char *shell, *script;
	} known[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
	struct err e;

	for (size_t i = 0; i < NELEMS(known); i++)
		if (!strcmp(c->argument[0], known[i].shell)) {
			fputs(known[i].script, stdout);
			return 0;
		}
	err_set(&e, USAGE, "there is no completion for '%s'; it is bash, zsh or fish",
		c->argument[0]);
	return problem_local(&e, c->as_json);
}

static const struct command completion = {
	.name = "completion",
	.group = COMMAND_HELP,
	.arguments = "bash|zsh|fish",
	.summary = "What a shell needs to complete qvmadm at the tab key",
	.is_local = true,
	.help = "Verbs, options and values, and the names that the server knows: of VMs, tokens, "
		"incidents, "
		"contexts. Packages install it; by hand:\n\n"
		"  eval \"$(qvmadm completion bash)\"\n"
		"  qvmadm completion zsh >~/.zsh/_qvmadm\n"
		"  qvmadm completion fish >~/.config/fish/completions/qvmadm.fish",
	.run = run,
};

COMMAND_REGISTER(completion);
