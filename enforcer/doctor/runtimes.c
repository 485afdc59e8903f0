/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who starts containers here, and whether the agent hears of them. */
#include "base/cleanup.h"
#include "doctor/check.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PODMAN_SOCKET "/run/podman/podman.sock"
#define CNI_DIRECTORY "/etc/cni/net.d"

DEFINE_CLEANUP(DIR *, closedir)

/* 0 where somebody takes connections there. */
static int knock(const char *path)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 && errno != EAGAIN)
		return -errno;
	return 0;
}

static void check_docker(const struct doctor_view *view, struct findings *findings)
{
	int r = view->docker_socket ? knock(view->docker_socket) : -ENOENT;

	if (!view->docker_socket) {
		findings_add(findings, FINDING_NOTE, "docker", "start segd without --no-docker",
			"the agent does not look for Docker's containers");
	} else if (r == 0) {
		findings_add(findings, FINDING_OK, "docker", NULL, "Docker answers at %s",
			view->docker_socket);
	} else if (r == -ENOENT) {
		findings_add(findings, FINDING_NOTE, "docker",
			"nothing, where there is no Docker; else segd --docker=SOCKET",
			"no Docker: %s does not exist", view->docker_socket);
	} else {
		findings_add(findings, FINDING_ERROR, "docker", "systemctl status docker",
			"nobody answers at %s (%s): containers that start now are refused everything, "
			"since the agent does not learn of them",
			view->docker_socket, strerror(-r));
	}
}

static void check_podman(const struct doctor_view *view, struct findings *findings)
{
	if (knock(PODMAN_SOCKET) < 0 ||
		(view->docker_socket && !strcmp(view->docker_socket, PODMAN_SOCKET)))
		return;
	findings_add(findings, FINDING_WARNING, "podman", "segd --docker=" PODMAN_SOCKET,
		"Podman answers at " PODMAN_SOCKET
		", and the agent does not follow its containers");
}

static void check_cni(struct findings *findings)
{
	_cleanup_(closedirp) DIR *directory = opendir(CNI_DIRECTORY);
	const struct dirent *entry;
	size_t count = 0;

	while (directory && (entry = readdir(directory)))
		count += !fnmatch("*.conf", entry->d_name, 0) ||
			 !fnmatch("*.conflist", entry->d_name, 0);
	if (count)
		findings_add(findings, FINDING_NOTE, "cni",
			"name their namespaces by segd --workloads=FILE",
			"%zu CNI networks are configured in " CNI_DIRECTORY
			": containers on them are known only if Docker or a file names them",
			count);
}

void check_runtimes(const struct doctor_view *view, struct findings *findings)
{
	check_docker(view, findings);
	check_podman(view, findings);
	check_cni(findings);
}
