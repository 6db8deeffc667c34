#if os(Linux)
import Foundation
import Testing

/// The binary where the system refuses threads, memory, descriptors or a flush.
@Suite struct FaultTests {
  /// A folder with documents, and with a library that replaces functions of the system; the runs are ended after 60 seconds.
  private func inFolder(replacing code: String = "", _ body: (Binary) throws -> Void) throws {
    let binary = try Binary()
    defer { try? FileManager.default.removeItem(at: binary.folder) }
    let documents = (0..<40).map { "{\"text\": \"the text of document \($0) is \($0 * $0)\"}" }.joined(separator: "\n") + "\n"
    try Data(documents.utf8).write(to: binary.folder.appendingPathComponent("docs.jsonl"))
    if !code.isEmpty {
      try Data(code.utf8).write(to: binary.folder.appendingPathComponent("fault.c"))
      guard try binary.shell("cc -shared -fPIC fault.c -o fault.so").code == 0 else { return }
    }
    try body(binary)
  }

  private static let commands = [
    "read docs.jsonl -o out.jsonl", "dedup docs.jsonl --exact -o out.jsonl", "dedup docs.jsonl --fuzzy -o out.jsonl",
    "tokenize docs.jsonl --tokenizer \(Binary.repository)/tokenizer/bpe4k --shards set", "filter docs.jsonl --rules length -o out.jsonl",
  ]

  @Test(arguments: commands) func noCommandHangsWithoutThreads(_ command: String) throws {
    let code = """
      #include <errno.h>
      int pthread_create(void *a, const void *b, void *(*c)(void *), void *d) { return EAGAIN; }
      """
    try inFolder(replacing: code) { binary in
      let result = try binary.shell("LD_PRELOAD=$PWD/fault.so timeout -s KILL 60 \(Binary.path) \(command) --threads 4 </dev/null")
      #expect([0, 1].contains(result.code), "\(result.code) \(result.errors)")
      #expect((result.code == 0) == result.complaints.isEmpty, "\(result.errors)")
    }
  }

  @Test(arguments: commands) func runningOutOfMemoryOrDescriptorsIsOneLine(_ command: String) throws {
    try inFolder { binary in
      for limit in ["-v 90000", "-v 130000", "-v 180000", "-n 5", "-n 6", "-n 8", "-n 12"] {
        let result = try binary.shell("ulimit \(limit); exec timeout -s KILL 60 \(Binary.path) \(command) --threads 2 </dev/null")
        // 127: the loader had too little for the program itself.
        #expect([0, 1, 127].contains(result.code), "\(limit): \(result.code) \(result.errors)")
        #expect(result.code != 1 || result.complaints.count == 1, "\(limit): \(result.errors)")
        _ = try binary.shell("rm -rf set set.* out.*")
      }
    }
  }

  @Test func aFolderThatIsNotFlushedIsStillThere() throws {
    let code = """
      #include <errno.h>
      #include <sys/stat.h>
      #include <sys/syscall.h>
      #include <unistd.h>
      int fsync(int file) {
        struct stat status;
        if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) { errno = EIO; return -1; }
        return (int)syscall(SYS_fsync, file);
      }
      """
    try inFolder(replacing: code) { binary in
      let result = try binary.shell("LD_PRELOAD=$PWD/fault.so \(Binary.path) read docs.jsonl --plain -o out.jsonl")
      guard result.code != 127, FileManager.default.fileExists(atPath: binary.folder.path + "/fault.so") else { return }
      #expect(result.code == 1 && result.errors.contains("out.jsonl: is complete and in place, but"), "\(result.errors)")
      #expect(binary.read("out.jsonl")?.count { $0 == 0x0A } == 40)
    }
  }

  @Test func outputsAreStreamsOrNamesOfBytes() throws {
    try inFolder { binary in
      let read = "weir read docs.jsonl --plain -o"
      let streams = try binary.shell("ln -s /proc/self/fd/1 so; \(read) so | wc -l; \(read) /dev/stdout | wc -l; test -L so")
      #expect(streams.code == 0 && streams.text == "40\n40\n", "\(streams.text) \(streams.errors)")
      let bytes = try binary.shell(
        "weir read docs.jsonl -o $'\\xfa.jsonl' && test -s $'\\xfa.jsonl' && "
          + "weir tokenize docs.jsonl --tokenizer \(Binary.repository)/tokenizer/bpe4k --shards $'d\\xfe' && weir verify $'d\\xfe'")
      #expect(bytes.code == 0, "\(bytes.errors)")
    }
  }

  @Test func aLimitOfTheSizeOfFilesIsOneLine() throws {
    try inFolder { binary in
      let shards = "weir tokenize docs.jsonl --tokenizer \(Binary.repository)/tokenizer/bpe4k --shards set"
      for command in ["weir read docs.jsonl --plain -o out.jsonl", shards] {
        // The errors go through a pipe, which has no limit.
        let result = try binary.shell("{ ulimit -f 1; \(command) </dev/null; echo \"code $?\" >&2; } 2>&1 | cat")
        #expect(result.text.contains("code 1") && result.text.contains("file too large"), "\(command): \(result.text)")
      }
    }
  }

  @Test func aLinkInThePlaceOfAPartialFileIsRefused() throws {
    try inFolder { binary in
      let shards = "tokenize docs.jsonl --tokenizer \(Binary.repository)/tokenizer/bpe4k --shards set"
      for (make, command) in [
        ("ln -s precious out.jsonl.partial", "read docs.jsonl -o out.jsonl"), ("mkfifo out.jsonl.partial", "read docs.jsonl -o out.jsonl"),
        ("ln -s theirs set.partial", shards), ("mkfifo set.partial", shards), ("ln -s precious set.partial", shards),
      ] {
        let result = try binary.shell(
          "echo keep >precious; mkdir -p theirs; echo keep >theirs/x; \(make); timeout -s KILL 60 \(Binary.path) \(command) </dev/null")
        #expect(result.code == 1 && result.errors.contains(".partial: is a "), "\(make): \(result.errors)")
        let kept = try binary.shell("cat precious theirs/x; rm -rf *.partial")
        #expect(kept.text == "keep\nkeep\n", "\(make)")
      }
    }
  }
}
#endif
