/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - the supervisor's own settings: built-in values, then qvmd.conf, then the command line.
 * Read once at start by main.c; part of struct daemon.
 *
 * A line of the file is `key = value`; `#` begins a comment. The keys are the table in config.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/command.h"
#include "base/cpulist.h"
#include "base/err.h"
#include "base/hostmem.h"
#include "base/hostports.h"
#include "base/name.h"
#include "base/partition.h"

enum {
	CONFIG_PATH = 512,
	CONFIG_ALLOWS = 32,
	CONFIG_TAP = 32,
	CONFIG_PCI = 16,
	CONFIG_LISTEN = 80
};

struct config {
	char state_dir[CONFIG_PATH], run_dir[CONFIG_PATH];
	char program_dir[CONFIG_PATH]; /* of qvm and qvm-api; "" = beside qvmd, else installed */
	char prefix[CONFIG_PATH];      /* that qvmd is installed below: "/usr" */
	char allow[CONFIG_ALLOWS][CONFIG_PATH]; /* folders that host files may be opened from */
	unsigned n_allows;
	/* files, or folders of files, that may be passed through to guests; none by default */
	char allow_pass[CONFIG_ALLOWS][CONFIG_PATH];
	unsigned n_allow_passes;
	char allow_tap[CONFIG_ALLOWS][CONFIG_TAP]; /* patterns of TAP interfaces for guests */
	unsigned n_allow_taps;
	char vdev_folder[CONFIG_PATH]; /* of shared objects; "" = the installed one, if any */
	char allow_pci[CONFIG_ALLOWS][CONFIG_PCI]; /* PCI functions of the host for guests */
	unsigned n_allow_pcis;
	uint16_t allow_uio[CONFIG_ALLOWS]; /* numbers of UIO devices for guests */
	unsigned n_allow_uios;
	struct hostmem allow_memory[CONFIG_ALLOWS]; /* ranges of the host's memory for guests */
	unsigned n_allow_memories;
	struct {
		struct hostports ports;
		char vm[NAME_CAP]; /* the one that has them */
	} allow_ports[CONFIG_ALLOWS];
	unsigned n_allow_ports;
	char listen[CONFIG_LISTEN]; /* ADDRESS:PORT of the API by TLS; "" = the unix socket alone */
	char tls_certificate[CONFIG_PATH], tls_key[CONFIG_PATH]; /* PEM files */
	char tls_client_ca[CONFIG_PATH]; /* of client certificates; "" = none are asked for */
	uint64_t requests_per_s;	 /* of one identity, to the API; 0 = no limit */
	uint64_t request_burst;		 /* that it may send at once */
	uint32_t uid_base;		 /* of qvm-api; workers follow */
	bool scopes;		      /* a scope of systemd for each worker, where there is one */
	uint64_t memory_budget_bytes; /* of all guests together; 0 = the memory of the host */
	uint64_t shmem_budget_bytes;  /* of all regions that VMs share */
	uint64_t max_priority;	      /* real-time, that vCPUs may have; 0 = none */
	char clusters[CPULIST_CLUSTERS];  /* named CPUs: `cluster NAME = CPUS` */
	char partitions[PARTITION_TEXT];  /* CPU budgets: `partition NAME = WEIGHT [MOST%]` */
	bool has_command_user;		  /* else no command is run for a VM */
	struct command_user command_user; /* whom `hostdev >"|command"` runs as */
	char hook_folder[CONFIG_PATH];	  /* of hooks; "" = none are run */
	bool has_hook_user;
	struct command_user hook_user; /* whom hooks run as */
	uint64_t hook_timeout_ms;      /* that one has */
	uint64_t incident_keep;	       /* incidents of a VM that are kept; 0 = all */
	uint64_t incident_days;	       /* for so long at most; 0 = for ever */
	uint64_t dump_keep;	       /* dumps of a VM kept in its folder */
	uint64_t dump_space_bytes;     /* that these may take */
	bool stops_on_host_fault;      /* else VMs run on in the safe state of the host */
	bool leaves_vms;	       /* at SIGTERM, instead of ending them: `on-exit` */
	uint64_t shutdown_grace_ms;    /* from the button to the cut when the supervisor ends */
};

void config_defaults(struct config *c);
/* Read the file over *c. A file that is not there is an error only if must_exist. */
int config_read(struct config *c, const char *path, bool must_exist, struct err *e);
/* The path of qvm or qvm-api. */
enum { CONFIG_PROGRAM = CONFIG_PATH + 24 };
const char *config_program(const struct config *c, const char *name,
			   char ret[static CONFIG_PROGRAM]);
/* One setting, as from the file. */
int config_set(struct config *c, const char *key, const char *value, struct err *e);
/* The folder of vdevs, opened; -1 with e->code, which is ERR_OK where there is none to be. */
int config_open_vdevs(const struct config *c, struct err *e);
/* Make allow[] canonical and fill what is still open; after all settings. */
int config_finish(struct config *c, struct err *e);
