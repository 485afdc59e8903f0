// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/technique.h"

#include "base/cleanup.h"

#include <string.h>

static const struct technique techniques[] = {
	{"T1018", "Remote System Discovery", "Discovery", false},
	{"T1021", "Remote Services", "Lateral Movement", true},
	{"T1021.001", "Remote Desktop Protocol", "Lateral Movement", true},
	{"T1021.002", "SMB/Windows Admin Shares", "Lateral Movement", true},
	{"T1021.003", "Distributed Component Object Model", "Lateral Movement", true},
	{"T1021.004", "SSH", "Lateral Movement", true},
	{"T1021.005", "VNC", "Lateral Movement", true},
	{"T1021.006", "Windows Remote Management", "Lateral Movement", true},
	{"T1029", "Scheduled Transfer", "Exfiltration", false},
	{"T1030", "Data Transfer Size Limits", "Exfiltration", false},
	{"T1041", "Exfiltration Over C2 Channel", "Exfiltration", false},
	{"T1046", "Network Service Discovery", "Discovery", false},
	{"T1048", "Exfiltration Over Alternative Protocol", "Exfiltration", false},
	{"T1048.003", "Exfiltration Over Unencrypted Non-C2 Protocol", "Exfiltration", false},
	{"T1071", "Application Layer Protocol", "Command and Control", false},
	{"T1071.001", "Web Protocols", "Command and Control", false},
	{"T1071.004", "DNS", "Command and Control", false},
	{"T1074.002", "Remote Data Staging", "Collection", false},
	{"T1087.002", "Domain Account", "Discovery", false},
	{"T1090", "Proxy", "Command and Control", true},
	{"T1090.001", "Internal Proxy", "Command and Control", true},
	{"T1095", "Non-Application Layer Protocol", "Command and Control", false},
	{"T1110", "Brute Force", "Credential Access", true},
	{"T1110.001", "Password Guessing", "Credential Access", true},
	{"T1110.003", "Password Spraying", "Credential Access", true},
	{"T1133", "External Remote Services", "Initial Access", true},
	{"T1190", "Exploit Public-Facing Application", "Initial Access", true},
	{"T1210", "Exploitation of Remote Services", "Lateral Movement", true},
	{"T1213", "Data from Information Repositories", "Collection", false},
	{"T1498", "Network Denial of Service", "Impact", false},
	{"T1499", "Endpoint Denial of Service", "Impact", false},
	{"T1550", "Use Alternate Authentication Material", "Lateral Movement", true},
	{"T1552", "Unsecured Credentials", "Credential Access", false},
	{"T1552.005", "Cloud Instance Metadata API", "Credential Access", false},
	{"T1552.007", "Container API", "Credential Access", true},
	{"T1557", "Adversary-in-the-Middle", "Credential Access", false},
	{"T1557.002", "ARP Cache Poisoning", "Credential Access", false},
	{"T1557.003", "DHCP Spoofing", "Credential Access", false},
	{"T1558", "Steal or Forge Kerberos Tickets", "Credential Access", false},
	{"T1563", "Remote Service Session Hijacking", "Lateral Movement", true},
	{"T1570", "Lateral Tool Transfer", "Lateral Movement", true},
	{"T1571", "Non-Standard Port", "Command and Control", false},
	{"T1572", "Protocol Tunneling", "Command and Control", false},
	{"T1580", "Cloud Infrastructure Discovery", "Discovery", false},
	{"T1595", "Active Scanning", "Reconnaissance", false},
	{"T1595.001", "Scanning IP Blocks", "Reconnaissance", false},
	{"T1609", "Container Administration Command", "Execution", true},
	{"T1610", "Deploy Container", "Execution", true},
	{"T1611", "Escape to Host", "Privilege Escalation", true},
	{"T1613", "Container and Resource Discovery", "Discovery", false},
};

const struct technique *technique_find(const char *id)
{
	static struct technique unknown;

	for (size_t i = 0; i < ARRAY_SIZE(techniques); i++)
		if (!strcmp(techniques[i].id, id))
			return &techniques[i];
	unknown = (struct technique){id, id, "", false};
	return &unknown;
}
