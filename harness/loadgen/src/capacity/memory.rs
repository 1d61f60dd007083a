use std::fs::{read_dir, read_to_string};

/// What is read of the machine's memory, all in bytes. What cannot be read is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) total: u64,
    pub(super) available: u64,
    /// The kernel's own structures.
    pub(super) slab: u64,
    /// Buffers of TCP sockets.
    pub(super) tcp_buffers: u64,
}

impl Memory {
    /// That of now.
    pub(super) fn read() -> Self {
        let text = |path| read_to_string(path).unwrap_or_default();
        Self::parse(&text("/proc/meminfo"), &text("/proc/net/sockstat"), rustix::param::page_size() as u64)
    }

    fn parse(meminfo: &str, sockstat: &str, page_bytes: u64) -> Self {
        let kib = |name: &str| kibibytes(meminfo, name).unwrap_or(0);
        let tcp = sockstat.lines().find(|line| line.starts_with("TCP:")).unwrap_or_default();
        let pages = tcp.split_whitespace().skip_while(|&word| word != "mem").nth(1);
        Self {
            total: kib("MemTotal:"),
            available: kib("MemAvailable:"),
            slab: kib("Slab:"),
            tcp_buffers: pages.and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * page_bytes,
        }
    }

    /// Would there be too little left, if as much is used again as since `before`?
    pub(super) fn is_short_after(&self, before: &Self) -> bool {
        let used = before.available.saturating_sub(self.available);
        self.total > 0 && self.available.saturating_sub(used) < self.total / 10
    }
}

/// Resident memory of a process, in bytes; `None` if there is no such process.
pub(super) fn resident_bytes(pid: u32) -> Option<u64> {
    kibibytes(&read_to_string(format!("/proc/{pid}/status")).ok()?, "VmRSS:")
}

/// Resident memory of a process that is no page of a file, in bytes; `None` if there is no such process.
pub(super) fn private_bytes(pid: u32) -> Option<u64> {
    kibibytes(&read_to_string(format!("/proc/{pid}/status")).ok()?, "RssAnon:")
}

/// Has a process as many files open as it may, but for a handful?
pub(super) fn is_at_file_limit(pid: u32) -> bool {
    const HANDFUL: u64 = 4;
    let limits = read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    let Some(limit) = file_limit(&limits) else { return false };
    read_dir(format!("/proc/{pid}/fd")).is_ok_and(|files| files.count() as u64 + HANDFUL >= limit)
}

fn file_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The value of a line `Name:  123 kB`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_the_kernel_writes_it() {
        let meminfo = "MemTotal:       24610372 kB\nMemAvailable:   20000000 kB\nSlab:             100 kB\n";
        let sockstat = "sockets: used 12\nTCP: inuse 1 orphan 0 tw 754 alloc 1 mem 3\nUDP: inuse 0 mem 9\n";
        let memory = Memory::parse(meminfo, sockstat, 4096);
        let expected = Memory {
            total: 24_610_372 << 10,
            available: 20_000_000 << 10,
            slab: 100 << 10,
            tcp_buffers: 3 * 4096,
        };
        assert_eq!(memory, expected);
        assert_eq!(
            file_limit("Limit Soft Hard Units\nMax open files            20000      20001   files\n"),
            Some(20_000)
        );
        assert_eq!(Memory::parse("", "", 4096), Memory::default());
    }

    #[test]
    fn this_very_machine_is_understood() {
        let memory = Memory::read();
        assert!(memory.total > memory.available && memory.available > 0 && memory.slab > 0);
        let own = std::process::id();
        assert!(private_bytes(own).is_some_and(|bytes| bytes > 0 && Some(bytes) < resident_bytes(own)));
        assert!(!is_at_file_limit(std::process::id()));
        assert_eq!(resident_bytes(u32::MAX), None);
    }

    #[test]
    fn it_is_short_when_another_step_would_leave_less_than_a_tenth() {
        let memory = |available| Memory { total: 100, available, ..Memory::default() };
        assert!(!memory(30).is_short_after(&memory(50)));
        assert!(memory(29).is_short_after(&memory(49)));
        assert!(memory(9).is_short_after(&memory(9)));
    }
}
