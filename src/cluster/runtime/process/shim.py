"""Runs one container and outlives the program that asked for it.

Node can neither enter namespaces nor open terminals, and a job must go on when the cluster's process dies; so every
container has one of these beside it: it builds the container's view of the file system, drops all rights, writes the
log, and leaves the exit status in a file. What to build is decided elsewhere and read from `spec.json` in the working
directory; here is only how. Standard library only, and one file, since it is started by its path.

    shim.py run     the container itself; prints one line when it has started or failed
    shim.py exec    a further command in a running container; request on descriptor 3, result on descriptor 4
"""

import ctypes
import errno
import fcntl
import json
import os
import selectors
import signal
import socket
import stat
import struct
import sys
import termios
import time

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID = 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER = 1, 4, 24, 36
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
# These numbers are the same on every architecture.
SYS_OPEN_TREE, SYS_MOVE_MOUNT, SYS_OPENAT2, SYS_MOUNT_SETATTR = 428, 429, 437, 442
RESOLVE_NO_MAGICLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT = 0x02, 0x08, 0x10
AT_RECURSIVE, AT_EMPTY_PATH, OPEN_TREE_CLONE, MOVE_MOUNT_EMPTY_PATHS = 0x8000, 0x1000, 1, 0x44
O_PATH = os.O_PATH

# The longest piece of a line in one log record, as in the container log format of Kubernetes.
MAX_RECORD = 16 * 1024
PARTIAL_FLUSH_SECONDS = 0.5


class Failure(Exception):
    """The container cannot be run as asked; the text is for its user."""


def check(result, doing):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, "%s: %s" % (doing, os.strerror(code)))
    return result


# --- the file system ---------------------------------------------------------------------------------------------


def mount(source, target, kind=None, flags=0, data=None):
    encode = lambda text: None if text is None else os.fsencode(text)
    check(
        libc.mount(encode(source), encode(target), encode(kind), ctypes.c_ulong(flags), encode(data)),
        "mount %s" % (source or kind),
    )


def open_below(root, path, resolve, flags=O_PATH):
    """Opens a path so that no symbolic link, not even one exchanged meanwhile, leads out of `root`."""
    how = struct.pack("QQQ", flags | os.O_CLOEXEC, 0, resolve | RESOLVE_NO_MAGICLINKS)
    descriptor = libc.syscall(SYS_OPENAT2, root, os.fsencode(path or "."), how, len(how))
    return check(descriptor, "open %s" % path)


def make_target(root, path, is_directory, owner=None):
    """Opens the mount point at `path` of the new root, making what is missing, without ever leaving the root."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    here = os.dup(root)
    for index, part in enumerate(parts):
        prefix = "/".join(parts[: index + 1])
        is_last = index == len(parts) - 1
        try:
            there = open_below(root, prefix, RESOLVE_IN_ROOT)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            if is_last and not is_directory:
                os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=here))
            else:
                os.mkdir(part, 0o755, dir_fd=here)
            there = os.open(part, O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            if owner is not None:
                # What is made in a place of the container's user is theirs to use.
                above = os.fstat(here)
                if above.st_uid == owner[0] and owner[0] != 0:
                    os.chown(part, owner[0], owner[1], dir_fd=here, follow_symlinks=False)
        os.close(here)
        here = there
    return here


def open_source(mounting, owner):
    """Opens what is to be mounted. A sub path stays inside its volume whatever links lie in it."""
    source = os.open(mounting["source"], O_PATH | os.O_CLOEXEC)
    sub_path = mounting.get("subPath")
    if not sub_path:
        return source
    try:
        return open_below(source, sub_path, RESOLVE_BENEATH)
    except OSError as error:
        if error.errno == errno.ENOENT and mounting.get("createSubPath"):
            return make_sub_path(source, sub_path, owner)
        raise Failure("sub path %s of the volume at %s: %s" % (sub_path, mounting["target"], error.strerror))


def make_sub_path(volume, path, owner):
    like = os.fstat(volume)
    here = os.dup(volume)
    parts = [part for part in path.split("/") if part not in ("", ".")]
    for index, part in enumerate(parts):
        prefix = "/".join(parts[: index + 1])
        try:
            there = open_below(volume, prefix, RESOLVE_BENEATH)
        except OSError as error:
            if error.errno != errno.ENOENT or part == "..":
                raise Failure("sub path %s: %s" % (path, error.strerror))
            os.mkdir(part, 0o755, dir_fd=here)
            there = os.open(part, O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            os.chown(part, owner[0], -1, dir_fd=here, follow_symlinks=False)
            os.chmod("/proc/self/fd/%d" % there, stat.S_IMODE(like.st_mode))
        here = there
    return here


def through(descriptor):
    """A path that leads to exactly the opened file, wherever its name points by now."""
    return "/proc/self/fd/%d" % descriptor


def locked_flags(path):
    # A mount made in a user namespace must keep the restrictions of the one it comes from.
    flags = os.statvfs(path).f_flag
    return (
        (flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC))
        | (1024 if flags & getattr(os, "ST_NOATIME", 0) else 0)
        | (2048 if flags & getattr(os, "ST_NODIRATIME", 0) else 0)
        | ((1 << 21) if flags & getattr(os, "ST_RELATIME", 0) else 0)
    )


def bind(root, source, at, step):
    """Mounts the opened `source` on the opened `at`, as restricted as asked from its first moment."""
    flags = MS_NOSUID | (0 if step.get("devices") else MS_NODEV) | (MS_RDONLY if step["readOnly"] else 0)
    recursive = AT_RECURSIVE if step.get("recursive") else 0
    tree = libc.syscall(SYS_OPEN_TREE, source, b"", OPEN_TREE_CLONE | os.O_CLOEXEC | AT_EMPTY_PATH | recursive)
    # The three flags have the same numbers as mount attributes.
    attributes = struct.pack("QQQQ", flags, 0, 0, 0)
    if tree >= 0 and libc.syscall(
        SYS_MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH | recursive, attributes, len(attributes)
    ) == 0:
        check(libc.syscall(SYS_MOVE_MOUNT, tree, b"", at, b"", MOVE_MOUNT_EMPTY_PATHS), "mount")
        os.close(tree)
    else:
        bind_on_old_kernel(root, source, at, step, flags)


def bind_on_old_kernel(root, source, at, step, flags):
    """Before Linux 5.12 a bind mount is restricted only after it is there, and has to be found again by its name."""
    mount(through(source), through(at), None, MS_BIND | (MS_REC if step.get("recursive") else 0))
    mounted = open_below(root, step["target"], RESOLVE_IN_ROOT)
    expected, found = os.fstat(source), os.fstat(mounted)
    if (expected.st_dev, expected.st_ino) != (found.st_dev, found.st_ino):
        raise Failure("the mount point %s was exchanged while it was being mounted" % step["target"])
    mount(None, through(mounted), None, MS_REMOUNT | MS_BIND | flags | inherited_flags(mounted))
    os.close(mounted)


def inherited_flags(descriptor):
    # A mount made in a user namespace must keep the restrictions of the one it comes from.
    flags = os.fstatvfs(descriptor).f_flag
    kept = flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for name, number in (("ST_NOATIME", 1 << 10), ("ST_NODIRATIME", 1 << 11), ("ST_RELATIME", 1 << 21)):
        if flags & getattr(os, name, 0):
            kept |= number
    return kept


def build(root, step, owner):
    """Carries out one step of the plan of the container's file system."""
    kind, target = step["kind"], step["target"]
    if kind == "symlink":
        os.symlink(step["to"], "./" + target.lstrip("/"), dir_fd=root)
    elif kind == "directory":
        made = make_target(root, target, True, owner)
        if "mode" in step:
            os.chmod(through(made), step["mode"])
        os.close(made)
    elif kind == "file":
        made = make_target(root, target, False)
        with open(through(made), "w") as file:
            file.write(step["content"])
        os.chmod(through(made), step["mode"])
        os.close(made)
    elif kind == "bind":
        try:
            source = open_source(step, owner)
        except FileNotFoundError:
            if step.get("optional"):
                return
            raise Failure("%s, to be mounted at %s, does not exist" % (step["source"], target))
        at = make_target(root, target, stat.S_ISDIR(os.fstat(source).st_mode), owner)
        bind(root, source, at, step)
        os.close(at)
        os.close(source)
    else:
        at = make_target(root, target, True, owner)
        here = through(at)
        flags = MS_NOSUID | (0 if kind == "devpts" else MS_NODEV) | (MS_RDONLY if step.get("readOnly") else 0)
        if kind == "overlay":
            data = "lowerdir=%s,upperdir=%s,workdir=%s" % (step["lower"], step["upper"], step["work"])
            mount("overlay", here, "overlay", flags, data)
        elif kind == "proc":
            mount("proc", here, "proc", flags | MS_NOEXEC)
        else:
            mount(kind, here, kind, flags, step.get("options"))
        os.close(at)


def enter_root(spec, owner):
    """Makes the planned file system the only one there is."""
    top = os.path.join(os.getcwd(), "rootfs")
    os.makedirs(top, exist_ok=True)
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", top, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=64m")
    root = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for step in spec["steps"]:
        try:
            build(root, step, owner)
        except OSError as error:
            if step.get("optional"):
                continue
            raise Failure("cannot place %s at %s: %s" % (step["kind"], step["target"], error.strerror or error))
    if spec.get("readOnlyRoot"):
        mount(None, top, None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    os.fchdir(root)
    # The old root is stacked on the new one and let go; nothing leads back.
    check(libc.pivot_root(b".", b"."), "pivot_root")
    check(libc.umount2(b".", MNT_DETACH), "detach the machine's root")
    os.chdir("/")
    os.close(root)


# --- rights ------------------------------------------------------------------------------------------------------


def drop_rights(spec):
    """From here on the process is the container's user and can never be more."""
    kept = spec.get("capabilities", []) if spec["uid"] == 0 else []
    for capability in range(64):
        if capability not in kept:
            libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0)
    if spec["isolation"] == "root":
        os.setgroups(spec["groups"])
        os.setresgid(spec["gid"], spec["gid"], spec["gid"])
        os.setresuid(spec["uid"], spec["uid"], spec["uid"])
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def join_groups(paths):
    for path in paths:
        with open(path, "w") as file:
            file.write("0")


def set_oom_score(value):
    # Only root may lower it; elsewhere the kernel's own choice has to do.
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(str(value))
    except OSError:
        return


def find_program(name, environment, directory):
    if "/" in name:
        return os.path.join(directory, name)
    for entry in environment.get("PATH", "").split(":"):
        candidate = os.path.join(directory, entry or ".", name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise Failure('exec: "%s": executable file not found in $PATH' % name)


def become(spec, command, environment, streams, terminal, report):
    """Turns this process into the command. Returns never; what goes wrong is written to `report`."""
    try:
        os.setsid()
        if terminal is not None:
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        set_oom_score(spec.get("oomScore", 0))
        for number in range(1, signal.NSIG):
            if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.umask(0o022)
        drop_rights(spec)
        directory = spec["workingDirectory"]
        try:
            os.chdir(directory)
        except OSError as error:
            raise Failure("cannot enter the working directory %s: %s" % (directory, error.strerror))
        program = find_program(command[0], environment, directory)
        os.set_inheritable(report, False)
        os.closerange(3, report)
        os.closerange(report + 1, 4096)
        try:
            os.execve(program, command, environment)
        except OSError as error:
            raise Failure('exec: "%s": %s' % (command[0], error.strerror.lower()))
    except BaseException as error:
        os.write(report, ("error " + json.dumps(str(error)) + "\n").encode())
    finally:
        os._exit(128)


# --- the first process of the container --------------------------------------------------------------------------


def first_process(spec, control, out, err):
    """Process 1 of the container: builds the rest, passes signals on, buries orphans, reports the end."""
    try:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        set_oom_score(-900)
        join_groups(spec["cgroups"])
        stdin = open_stdin(spec)
        if spec["isolation"] != "none":
            check(libc.unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS), "unshare")
            name = os.fsencode(spec["hostname"])
            check(libc.sethostname(name, len(name)), "set host name")
            # Of the namespace just made; the new root shows these for reading only.
            for parameter, value in spec.get("sysctls", {}).items():
                with open("/proc/sys/" + parameter.replace(".", "/"), "w") as file:
                    file.write(value)
            enter_root(spec, (spec["uid"], spec["gid"]))
        streams, terminal = (stdin, out, err), None
        if spec["tty"]:
            master, terminal = os.openpty()
            os.chown(os.ttyname(terminal), spec["uid"], -1)
            socket.send_fds(control, [b"terminal\n"], [master])
            os.close(master)
            streams = (terminal, terminal, terminal)
        reader, report = os.pipe()
        child = os.fork()
        if child == 0:
            become(spec, spec["command"], spec["environment"], streams, terminal, report)
        os.close(report)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, lambda caught, frame: forward(child, caught))
        drop_rights(spec)
        # Changing the user id forgot it.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # Nobody of the same user may look into or trace the process that keeps the container.
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        os.closerange(0, control.fileno())
        refused = read_all(reader) if reader > control.fileno() else b""
        os.closerange(control.fileno() + 1, 4096)
        if refused:
            control.sendall(refused)
        else:
            control.sendall(b"started\n")
        bury(child, control)
    except BaseException as error:
        try:
            control.sendall(("error " + json.dumps(str(error)) + "\n").encode())
        finally:
            os._exit(128)


def open_stdin(spec):
    if not spec["stdin"]:
        return os.open("/dev/null", os.O_RDONLY)
    # Opened for both so that neither opening nor reading waits for, or ends with, a writer; the shim holds the end.
    reading = os.open("stdin", os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reading, fcntl.F_SETFL, 0)
    return reading


def forward(child, number):
    try:
        os.kill(child, number)
    except ProcessLookupError:
        return


def bury(child, control):
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            os._exit(0)
        if pid == child:
            control.sendall(("exited %d\n" % status).encode())
            os._exit(0)


def end_descendants():
    """Where no process namespace ends with its first process, ends what is left one by one."""
    while True:
        for entry in os.listdir("/proc"):
            if entry.isdigit() and is_descendant(int(entry)):
                try:
                    os.kill(int(entry), signal.SIGKILL)
                except OSError:
                    continue
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def is_descendant(pid):
    me = os.getpid()
    while pid > 1:
        pid = parent_of(pid)
        if pid == me:
            return True
    return False


def stat_fields(pid):
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rpartition(")")[2].split()


def parent_of(pid):
    try:
        return int(stat_fields(pid)[1])
    except (OSError, IndexError):
        return 0


def read_all(descriptor):
    pieces = []
    while True:
        piece = os.read(descriptor, 65536)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


# --- the log -----------------------------------------------------------------------------------------------------


class Log:
    """Lines with time and stream, in the container log format of Kubernetes; a new file when one is full."""

    def __init__(self, path, max_bytes, max_files):
        self.path, self.max_bytes, self.max_files = path, max_bytes, max_files
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.size = os.fstat(self.file).st_size
        self.pending = {"stdout": b"", "stderr": b""}

    def add(self, stream, data):
        lines = (self.pending[stream] + data).split(b"\n")
        rest = lines.pop()
        now = timestamp()
        records = []
        for line in lines:
            records += self.pieces(now, stream, line, b"F")
        while len(rest) > MAX_RECORD:
            records.append(self.record(now, stream, b"P", rest[:MAX_RECORD]))
            rest = rest[MAX_RECORD:]
        self.pending[stream] = rest
        self.write(b"".join(records))

    def pieces(self, now, stream, line, tag):
        records = []
        while len(line) > MAX_RECORD:
            records.append(self.record(now, stream, b"P", line[:MAX_RECORD]))
            line = line[MAX_RECORD:]
        records.append(self.record(now, stream, tag, line))
        return records

    def record(self, now, stream, tag, text):
        return b"%s %s %s %s\n" % (now, stream.encode(), tag, text)

    def flush(self):
        """Writes out what has no line end yet, so that a prompt or a progress bar can be seen."""
        for stream, rest in self.pending.items():
            if rest:
                self.pending[stream] = b""
                self.write(self.record(timestamp(), stream, b"P", rest))

    def write(self, data):
        try:
            while data:
                written = os.write(self.file, data)
                self.size += written
                data = data[written:]
            if self.size >= self.max_bytes:
                self.rotate()
        except OSError:
            # A full disk costs log lines, not the job.
            return

    def rotate(self):
        folder, name = os.path.split(self.path)
        old = sorted(
            int(entry.rpartition(".")[2])
            for entry in os.listdir(folder)
            if entry.startswith(name + ".") and entry.rpartition(".")[2].isdigit()
        )
        fresh = os.open(self.path + ".new", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        # At no moment is there no log: the full file gets a second name, then the new one takes its first.
        os.link(self.path, "%s.%d" % (self.path, (old[-1] if old else 0) + 1))
        os.rename(self.path + ".new", self.path)
        for number in old[: max(0, len(old) + 2 - self.max_files)]:
            os.unlink("%s.%d" % (self.path, number))
        os.close(self.file)
        self.file, self.size = fresh, 0


def timestamp():
    now = time.time_ns()
    seconds, rest = divmod(now, 1_000_000_000)
    return (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".%09dZ" % rest).encode()


# --- the shim ----------------------------------------------------------------------------------------------------


class Shim:
    """Stays outside the container: log, stdin, terminal, signals, exit status."""

    def __init__(self, spec):
        self.spec = spec
        self.log = Log(spec["log"]["path"], spec["log"]["maxBytes"], spec["log"]["maxFiles"])
        self.selector = selectors.DefaultSelector()
        self.terminal = None
        self.stdin_holder = None
        self.status = None
        self.failure = None
        self.started_at = None
        self.control_rest = b""

    def run(self):
        if self.spec["stdin"]:
            if not os.path.exists("stdin"):
                os.mkfifo("stdin", 0o600)
            self.stdin_holder = os.open("stdin", os.O_RDWR | os.O_CLOEXEC)
        wake_reader, wake_writer = os.pipe()
        os.set_blocking(wake_reader, False)
        os.set_blocking(wake_writer, False)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2, signal.SIGWINCH, signal.SIGCHLD):
            signal.signal(number, lambda caught, frame: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.enter_namespaces()
        here, there = socket.socketpair()
        out_reader, out_writer = os.pipe()
        err_reader, err_writer = os.pipe()
        self.first = os.fork()
        if self.first == 0:
            signal.set_wakeup_fd(-1)
            here.close()
            first_process(self.spec, there, out_writer, err_writer)
        set_oom_score(-900)
        there.close()
        os.close(out_writer)
        os.close(err_writer)
        here.setblocking(False)
        self.control = here
        self.selector.register(wake_reader, selectors.EVENT_READ, self.on_signal)
        self.selector.register(here, selectors.EVENT_READ, self.on_control)
        for descriptor, stream in ((out_reader, "stdout"), (err_reader, "stderr")):
            os.set_blocking(descriptor, False)
            self.selector.register(descriptor, selectors.EVENT_READ, self.output(stream))
        self.serve()

    def enter_namespaces(self):
        if self.spec["isolation"] == "none":
            # Orphans come to this process, which can then find and end them.
            check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "subreaper")
            return
        if self.spec["isolation"] == "user":
            uid, gid = os.getuid(), os.getgid()
            check(libc.unshare(CLONE_NEWUSER), "user namespace")
            for name, text in (
                ("setgroups", "deny"),
                ("uid_map", "%d %d 1" % (self.spec["uid"], uid)),
                ("gid_map", "%d %d 1" % (self.spec["gid"], gid)),
            ):
                with open("/proc/self/" + name, "w") as file:
                    file.write(text)
        # Only children are moved: the next fork is process 1 of the container.
        check(libc.unshare(CLONE_NEWPID), "process namespace")

    def serve(self):
        ended = None
        while ended is None:
            waits = PARTIAL_FLUSH_SECONDS if any(self.log.pending.values()) else None
            ready = self.selector.select(waits)
            if not ready:
                self.log.flush()
            for key, _ in ready:
                key.data(key.fileobj)
            pid, status = os.waitpid(self.first, os.WNOHANG)
            if pid:
                ended = status
        if self.spec["isolation"] == "none":
            end_descendants()
        # Everything in the container is dead: what is in the pipes now is all there will be.
        self.drain()
        self.log.flush()
        self.finish(ended)

    def drain(self):
        for _ in range(100_000):
            ready = [key for key, _ in self.selector.select(0) if key.data not in (self.on_signal,)]
            if not ready:
                return
            for key in ready:
                key.data(key.fileobj)

    def on_signal(self, descriptor):
        try:
            caught = os.read(descriptor, 512)
        except BlockingIOError:
            return
        for number in caught:
            if number == signal.SIGTERM:
                self.send(self.spec["stopSignal"])
            elif number == signal.SIGINT:
                self.send(signal.SIGKILL)
            elif number == signal.SIGUSR2 and self.stdin_holder is not None:
                self.close_stdin()
            elif number == signal.SIGWINCH:
                self.resize()

    def send(self, number):
        try:
            os.kill(self.first, number)
        except ProcessLookupError:
            return

    def close_stdin(self):
        """The client has sent all it had: the container reads the end."""
        if self.terminal is not None:
            os.write(self.terminal, b"\x04")
        os.close(self.stdin_holder)
        self.stdin_holder = None

    def resize(self):
        if self.terminal is None:
            return
        try:
            with open("size") as file:
                rows, columns = (int(word) for word in file.read().split())
        except (OSError, ValueError):
            return
        set_size(self.terminal, rows, columns)

    def output(self, stream):
        def read(descriptor):
            try:
                data = os.read(descriptor, 65536)
            except BlockingIOError:
                return
            except OSError:
                # A terminal whose other side is closed answers with an error, not with an end.
                data = b""
            if data:
                self.log.add(stream, data)
            else:
                self.selector.unregister(descriptor)
                os.close(descriptor)

        return read

    def on_control(self, control):
        data, descriptors, _, _ = socket.recv_fds(control, 65536, 4)
        for descriptor in descriptors:
            self.terminal = descriptor
            os.set_blocking(descriptor, False)
            self.selector.register(descriptor, selectors.EVENT_READ, self.output("stdout"))
            if self.stdin_holder is not None:
                feed = os.open("stdin", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                self.selector.register(feed, selectors.EVENT_READ, self.feed_terminal)
        if not data:
            self.selector.unregister(control)
            return
        *lines, self.control_rest = (self.control_rest + data).split(b"\n")
        for line in lines:
            word, _, rest = line.partition(b" ")
            if word == b"started":
                self.announce_start()
            elif word == b"exited":
                self.status = int(rest)
            elif word == b"error":
                self.failure = json.loads(rest)

    def feed_terminal(self, descriptor):
        try:
            data = os.read(descriptor, 4096)
        except BlockingIOError:
            return
        if not data:
            self.selector.unregister(descriptor)
            return
        try:
            os.write(self.terminal, data)
        except OSError:
            return

    def announce_start(self):
        self.started_at = timestamp().decode()
        state = {
            "shim": os.getpid(),
            "shimStart": start_time(os.getpid()),
            "first": self.first,
            "firstStart": start_time(self.first),
            "boot": boot_id(),
            "startedAt": self.started_at,
        }
        save("state.json", state)
        announce({"started": state})

    def finish(self, ended):
        if self.failure is not None:
            result = {"exitCode": 128, "reason": "StartError", "message": self.failure}
        elif self.status is not None:
            result = exit_of(self.status)
        else:
            result = exit_of(ended)
        now = timestamp().decode()
        result["startedAt"] = self.started_at or now
        result["finishedAt"] = now
        save("exit.json", result)
        if self.started_at is None:
            announce({"failed": result})


def exit_of(status):
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return {"exitCode": 128 + number, "signal": number}
    return {"exitCode": os.WEXITSTATUS(status)}


def start_time(pid):
    return int(stat_fields(pid)[19])


def boot_id():
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def save(name, value):
    """All or nothing: a reader never sees half a file."""
    with open(name + ".new", "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(name + ".new", name)


def announce(value):
    """One line to whoever started us, who may be gone already."""
    try:
        os.write(1, (json.dumps(value) + "\n").encode())
    except OSError:
        pass
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 1)
    os.close(nothing)


def set_size(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


# --- exec --------------------------------------------------------------------------------------------------------


def execute(spec):
    """Runs a further command in the container that `spec` describes."""
    request_stream = os.fdopen(3, "rb", buffering=0)
    request = json.loads(read_line(request_stream))
    try:
        enter_container(spec, request)
        code = run_command(spec, request, request_stream)
        answer = {"exitCode": code}
    except Failure as error:
        answer = {"exitCode": 127, "message": str(error)}
    except OSError as error:
        answer = {"exitCode": 126, "message": "cannot enter the container: %s" % error.strerror}
    os.write(4, json.dumps(answer).encode())


def read_line(stream):
    line = b""
    while not line.endswith(b"\n"):
        piece = stream.read(1)
        if not piece:
            break
        line += piece
    return line


def enter_container(spec, request):
    join_groups(spec["cgroups"])
    if spec["isolation"] == "none":
        return
    first = request["first"]
    names = ["user"] if spec["isolation"] == "user" else []
    spaces = [os.open("/proc/%d/ns/%s" % (first, name), os.O_RDONLY) for name in names + ["ipc", "uts", "pid", "mnt"]]
    if start_time(first) != request["firstStart"]:
        raise Failure("the container has ended")
    for space in spaces:
        check(libc.setns(space, 0), "enter namespace")
        os.close(space)
    os.chdir("/")


def run_command(spec, request, request_stream):
    streams, terminal, master = (0, 1, 2), None, None
    if request["tty"]:
        master, terminal = os.openpty()
        os.chown(os.ttyname(terminal), spec["uid"], -1)
        streams = (terminal, terminal, terminal)
    reader, report = os.pipe()
    child = os.fork()
    if child == 0:
        become(spec, request["command"], spec["environment"], streams, terminal, report)
    os.close(report)
    if terminal is not None:
        os.close(terminal)
    refused = read_all(reader)
    if refused:
        os.waitpid(child, 0)
        raise Failure(json.loads(refused.partition(b" ")[2]))
    status = attend(child, master, request_stream)
    result = exit_of(status)
    return result["exitCode"]


def attend(child, master, request_stream):
    """Waits for the command; moves bytes when there is a terminal; kills it when the client has gone."""
    wake_reader, wake_writer = os.pipe()
    os.set_blocking(wake_writer, False)
    signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda caught, frame: None)
    # Unlike the usual one this selector also takes /dev/null, the stdin of a client that has none.
    selector = selectors.PollSelector()
    selector.register(wake_reader, selectors.EVENT_READ)
    selector.register(request_stream.fileno(), selectors.EVENT_READ)
    if master is not None:
        selector.register(master, selectors.EVENT_READ)
        selector.register(0, selectors.EVENT_READ)
    else:
        # The command has these now; keeping them would hide the end of the stream from the client.
        for number in (0, 1, 2):
            os.close(number)
    ended = None
    while True:
        pid, status = os.waitpid(child, os.WNOHANG) if ended is None else (0, 0)
        if pid:
            ended = status
        if ended is not None and (master is None or master not in selector.get_map()):
            return ended
        for key, _ in selector.select(0.2 if ended is not None else None):
            if key.fd == wake_reader:
                os.read(wake_reader, 512)
            elif key.fd == request_stream.fileno():
                on_request(read_line(request_stream), child, master, selector, key.fd)
            elif not move(key.fd, master):
                selector.unregister(key.fd)
        if ended is not None and master is not None and not selector.select(0):
            return ended


def on_request(line, child, master, selector, descriptor):
    if not line:
        selector.unregister(descriptor)
        try:
            os.killpg(child, signal.SIGKILL)
        except OSError:
            return
    elif master is not None:
        rows, columns = (int(word) for word in line.split())
        set_size(master, rows, columns)


def move(descriptor, master):
    try:
        data = os.read(descriptor, 65536)
        if not data:
            if descriptor == 0:
                os.write(master, b"\x04")
            return False
        target = 1 if descriptor == master else master
        while data:
            data = data[os.write(target, data):]
    except OSError:
        return False
    return True


def main():
    with open("spec.json") as file:
        spec = json.load(file)
    if sys.argv[1] == "exec":
        execute(spec)
        return
    os.environ.clear()
    try:
        Shim(spec).run()
    except OSError as error:
        announce({"failed": {"exitCode": 128, "reason": "StartError", "message": str(error)}})
        raise


main()
