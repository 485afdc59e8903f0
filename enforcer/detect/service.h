/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What intruders want of a service, by its usual port. */
#pragma once

#include "flow/record.h"

enum service_class {
	SERVICE_OTHER,
	SERVICE_REMOTE,  /* to work on another machine: SSH, RDP, SMB, WinRM, … */
	SERVICE_ACCOUNT, /* who may do what: Kerberos, LDAP */
	SERVICE_STORE,   /* data: databases, caches, queues */
	SERVICE_CONTROL, /* who starts containers: Docker, kubelet, etcd, Kubernetes */
	SERVICE_PROXY,   /* SOCKS and the like */
};

enum service_class service_class(const struct record *record);
/* It asks who you are before it does anything. */
bool service_authenticates(const struct record *record);
/* MITRE ATT&CK technique of one who goes from machine to machine by it. */
const char *service_technique(const struct record *record);
