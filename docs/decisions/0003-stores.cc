// The measurements behind docs/decisions/0003-the-state-log.md: one writer thread that commits groups, over
// four stores. Not part of the build:
//
//   apt-get install liblmdb-dev libsqlite3-dev librocksdb-dev
//   g++ -std=c++20 -O2 docs/decisions/0003-stores.cc -o build/stores -llmdb -lsqlite3 -lrocksdb -pthread
//   build/stores speed DIR        group commit at 1, 16 and 64 writers, interleaved, medians of 5 rounds
//   build/stores recover DIR      time to read a million counters back
//   build/stores damage DIR       what each says of a flipped byte, a cut, a full disk
#include <fcntl.h>
#include <lmdb.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace fs = std::filesystem;
using Pair = std::pair<std::string, std::string>;
using Group = std::vector<Pair>;

struct Store {
  virtual ~Store() = default;
  virtual bool Commit(const Group& group) = 0;                                    // true: it is on disk
  virtual bool Each(const std::function<void(std::string_view, std::string_view)>&) = 0;  // false: it says it is damaged
};

static uint64_t Sum(std::string_view bytes) {
  uint64_t h = 0xcbf29ce484222325ull;
  for (unsigned char c : bytes) h = (h ^ c) * 0x100000001b3ull;
  return h;
}

// One file: frames of length, sequence, checksum, pairs; written ahead with zeros, one fdatasync a group.
struct Log : Store {
  int fd;
  off_t at = 0, end = 0;
  uint64_t sequence = 0;
  std::string frame;
  bool damaged = false;
  std::unordered_map<std::string, std::string> image;
  explicit Log(const fs::path& dir) {
    fd = open((dir / "log").c_str(), O_RDWR | O_CREAT, 0600);
    Read();
  }
  ~Log() override { close(fd); }
  bool Frame(std::string_view all, size_t from, uint64_t* number, std::string_view* body) {
    if (from + 20 > all.size()) return false;
    uint32_t length;
    uint64_t sum;
    memcpy(&length, &all[from], 4);
    memcpy(number, &all[from + 4], 8);
    memcpy(&sum, &all[from + 12], 8);
    if (length == 0 || from + 20 + length > all.size()) return false;
    *body = all.substr(from + 20, length);
    return Sum(*body) + *number == sum;
  }
  void Read() {
    std::string all(fs::file_size("/proc/self/fd/" + std::to_string(fd)), 0);
    if (pread(fd, all.data(), all.size(), 0) < 0) return;
    end = static_cast<off_t>(all.size());
    std::string_view body;
    for (uint64_t number; Frame(all, at, &number, &body) && number == sequence + 1; at += 20 + body.size()) {
      sequence = number;
      for (size_t i = 0; i < body.size();) {
        uint32_t k, v;
        memcpy(&k, &body[i], 4);
        memcpy(&v, &body[i + 4], 4);
        image[std::string(body.substr(i + 8, k))] = body.substr(i + 8 + k, v);
        i += 8 + k + v;
      }
    }
    uint64_t number;
    for (size_t i = at + 1; i + 20 < all.size() && !damaged; ++i) damaged = all[i] != 0 && Frame(all, i, &number, &body) && number > sequence;
  }
  bool Commit(const Group& group) override {
    frame.assign(20, 0);
    for (const Pair& p : group) {
      uint32_t k = p.first.size(), v = p.second.size();
      frame.append(reinterpret_cast<char*>(&k), 4).append(reinterpret_cast<char*>(&v), 4).append(p.first).append(p.second);
    }
    uint32_t length = frame.size() - 20;
    uint64_t number = sequence + 1, sum = Sum(std::string_view(frame).substr(20)) + number;
    memcpy(&frame[0], &length, 4);
    memcpy(&frame[4], &number, 8);
    memcpy(&frame[12], &sum, 8);
    if (at + static_cast<off_t>(frame.size()) > end) {
      static const std::string zeros(1 << 20, 0);
      while (at + static_cast<off_t>(frame.size()) > end) {
        ssize_t n = pwrite(fd, zeros.data(), zeros.size(), end);
        if (n <= 0) return false;
        end += n;
      }
    }
    if (pwrite(fd, frame.data(), frame.size(), at) != static_cast<ssize_t>(frame.size()) || fdatasync(fd) != 0) return false;
    at += frame.size();
    sequence = number;
    return true;
  }
  bool Each(const std::function<void(std::string_view, std::string_view)>& f) override {
    for (auto& [k, v] : image) f(k, v);
    return !damaged;
  }
};

struct Lmdb : Store {
  MDB_env* env = nullptr;
  MDB_dbi dbi = 0;
  bool good = true;
  explicit Lmdb(const fs::path& dir) {
    mdb_env_create(&env);
    mdb_env_set_mapsize(env, size_t{4} << 30);
    MDB_txn* txn;
    good = mdb_env_open(env, dir.c_str(), 0, 0600) == 0 && mdb_txn_begin(env, nullptr, 0, &txn) == 0 &&
           mdb_dbi_open(txn, nullptr, MDB_CREATE, &dbi) == 0 && mdb_txn_commit(txn) == 0;
  }
  ~Lmdb() override { mdb_env_close(env); }
  bool Commit(const Group& group) override {
    MDB_txn* txn;
    if (mdb_txn_begin(env, nullptr, 0, &txn) != 0) return false;
    for (const Pair& p : group) {
      MDB_val k{p.first.size(), const_cast<char*>(p.first.data())}, v{p.second.size(), const_cast<char*>(p.second.data())};
      if (mdb_put(txn, dbi, &k, &v, 0) != 0) return mdb_txn_abort(txn), false;
    }
    return mdb_txn_commit(txn) == 0;
  }
  bool Each(const std::function<void(std::string_view, std::string_view)>& f) override {
    MDB_txn* txn;
    if (!good || mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) != 0) return false;
    MDB_cursor* c;
    mdb_cursor_open(txn, dbi, &c);
    MDB_val k, v;
    int rc;
    while ((rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0)
      f({static_cast<char*>(k.mv_data), k.mv_size}, {static_cast<char*>(v.mv_data), v.mv_size});
    mdb_cursor_close(c);
    mdb_txn_abort(txn);
    return rc == MDB_NOTFOUND;
  }
};

struct Sqlite : Store {
  sqlite3* db = nullptr;
  sqlite3_stmt *put = nullptr, *begin = nullptr, *commit = nullptr;
  bool good = true;
  explicit Sqlite(const fs::path& dir) {
    good = sqlite3_open((dir / "state.db").c_str(), &db) == 0;
    for (const char* sql : {"pragma journal_mode=wal", "pragma synchronous=full", "create table if not exists kv(k blob primary key, v blob) without rowid"})
      good = good && sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == 0;
    good = good && sqlite3_prepare_v2(db, "insert into kv values(?,?) on conflict(k) do update set v=excluded.v", -1, &put, nullptr) == 0;
    good = good && sqlite3_prepare_v2(db, "begin immediate", -1, &begin, nullptr) == 0 && sqlite3_prepare_v2(db, "commit", -1, &commit, nullptr) == 0;
  }
  ~Sqlite() override {
    for (sqlite3_stmt* s : {put, begin, commit}) sqlite3_finalize(s);
    sqlite3_close(db);
  }
  static bool Run(sqlite3_stmt* s) {
    int rc = sqlite3_step(s);
    sqlite3_reset(s);
    return rc == SQLITE_DONE;
  }
  bool Commit(const Group& group) override {
    if (!good || !Run(begin)) return false;
    for (const Pair& p : group) {
      sqlite3_bind_blob(put, 1, p.first.data(), p.first.size(), SQLITE_STATIC);
      sqlite3_bind_blob(put, 2, p.second.data(), p.second.size(), SQLITE_STATIC);
      if (!Run(put)) return sqlite3_exec(db, "rollback", nullptr, nullptr, nullptr), false;
    }
    return Run(commit);
  }
  bool Each(const std::function<void(std::string_view, std::string_view)>& f) override {
    sqlite3_stmt* all = nullptr;
    if (!good || sqlite3_prepare_v2(db, "select k, v from kv", -1, &all, nullptr) != 0) return false;
    int rc;
    while ((rc = sqlite3_step(all)) == SQLITE_ROW)
      f({static_cast<const char*>(sqlite3_column_blob(all, 0)), static_cast<size_t>(sqlite3_column_bytes(all, 0))},
        {static_cast<const char*>(sqlite3_column_blob(all, 1)), static_cast<size_t>(sqlite3_column_bytes(all, 1))});
    sqlite3_finalize(all);
    return rc == SQLITE_DONE;
  }
};

struct Rocks : Store {
  rocksdb::DB* db = nullptr;
  bool good = true;
  explicit Rocks(const fs::path& dir) {
    rocksdb::Options o;
    o.create_if_missing = true;
    o.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    good = rocksdb::DB::Open(o, dir.string(), &db).ok();
  }
  ~Rocks() override { delete db; }
  bool Commit(const Group& group) override {
    rocksdb::WriteBatch batch;
    for (const Pair& p : group) batch.Put(p.first, p.second);
    rocksdb::WriteOptions w;
    w.sync = true;
    return good && db->Write(w, &batch).ok();
  }
  bool Each(const std::function<void(std::string_view, std::string_view)>& f) override {
    if (!good) return false;
    std::unique_ptr<rocksdb::Iterator> it(db->NewIterator({}));
    for (it->SeekToFirst(); it->Valid(); it->Next()) f(it->key().ToStringView(), it->value().ToStringView());
    return it->status().ok();
  }
};

static const char* kNames[] = {"log", "lmdb", "sqlite", "rocksdb"};
static std::unique_ptr<Store> Open(const std::string& name, const fs::path& dir) {
  fs::create_directories(dir);
  if (name == "log") return std::make_unique<Log>(dir);
  if (name == "lmdb") return std::make_unique<Lmdb>(dir);
  if (name == "sqlite") return std::make_unique<Sqlite>(dir);
  return std::make_unique<Rocks>(dir);
}

// What one permit writes: as rows (two counters, reservation, key, high time), or as one operation for the log.
static void Permit(bool rows, uint64_t n, Group* out) {
  std::string who = std::to_string(n * 7919 % 10000);
  if (!rows) {
    out->push_back({"", "acme.spend.daily.amount/day/person|p" + who + "|uUSD " + std::string(150, 'x')});
    return;
  }
  out->push_back({"c|acme.spend.daily.amount/day/person|p" + who + "|uUSD", std::string(32, 'a') + std::to_string(n)});
  out->push_back({"c|acme.spend.monthly.amount/month/person|p" + who + "|uUSD", std::string(32, 'b') + std::to_string(n)});
  out->push_back({"r|" + std::to_string(n), std::string(96, 'c')});
  out->push_back({"k|gateway|E" + who + "|order-" + std::to_string(n), std::string(80, 'd')});
  out->push_back({"high", std::to_string(n)});
}

static double Cpu() {
  rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}
static double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Figures {
  double rate, p50, p99, cpu;
};
// `writers` threads each hand in a permit and wait for its group; one thread commits groups.
static Figures Drive(Store* store, bool rows, int writers, double seconds) {
  std::mutex m;
  std::condition_variable work, done;
  Group pending;
  uint64_t asked = 0, synced = 0;
  bool stop = false;
  std::atomic<uint64_t> number{0};
  std::vector<std::vector<double>> waits(writers);
  double cpu = Cpu(), start = Now();
  std::thread writer([&] {
    std::unique_lock lock(m);
    Group group;
    for (;;) {
      work.wait(lock, [&] { return stop || !pending.empty(); });
      if (pending.empty()) return;
      group.clear();
      group.swap(pending);
      uint64_t upto = asked;
      lock.unlock();
      if (!store->Commit(group)) abort();
      lock.lock();
      synced = upto;
      done.notify_all();
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < writers; ++t)
    threads.emplace_back([&, t] {
      while (Now() - start < seconds) {
        double began = Now();
        Group mine;
        Permit(rows, ++number, &mine);
        std::unique_lock lock(m);
        for (Pair& p : mine) pending.push_back(std::move(p));
        uint64_t ticket = ++asked;
        work.notify_one();
        done.wait(lock, [&] { return synced >= ticket; });
        waits[t].push_back(Now() - began);
      }
    });
  for (std::thread& t : threads) t.join();
  {
    std::lock_guard lock(m);
    stop = true;
  }
  work.notify_one();
  writer.join();
  double took = Now() - start;
  std::vector<double> all;
  for (auto& w : waits) all.insert(all.end(), w.begin(), w.end());
  std::sort(all.begin(), all.end());
  return {all.size() / took, all[all.size() / 2] * 1e6, all[all.size() * 99 / 100] * 1e6, (Cpu() - cpu) * 1e6 / all.size()};
}

static void Speed(const fs::path& dir) {
  for (int writers : {1, 16, 64}) {
    std::vector<Figures> seen[4];
    for (int round = 0; round < 5; ++round)
      for (int s = 0; s < 4; ++s) {
        fs::remove_all(dir);
        auto store = Open(kNames[s], dir);
        seen[s].push_back(Drive(store.get(), s != 0, writers, 1.0));
      }
    double base = 0;
    for (int s = 0; s < 4; ++s) {
      auto mid = [&](auto get) {
        std::vector<double> v;
        for (Figures& f : seen[s]) v.push_back(get(f));
        std::sort(v.begin(), v.end());
        return v[v.size() / 2];
      };
      double rate = mid([](Figures& f) { return f.rate; });
      if (s == 0) base = rate;
      printf("%2d writers %-8s %8.0f permits/s  ratio %.2f  p50 %5.0f us  p99 %6.0f us  cpu %5.1f us/permit\n", writers, kNames[s], rate,
             rate / base, mid([](Figures& f) { return f.p50; }), mid([](Figures& f) { return f.p99; }), mid([](Figures& f) { return f.cpu; }));
      fflush(stdout);
    }
  }
}

static void Recover(const fs::path& dir) {
  for (const char* name : kNames) {
    fs::remove_all(dir);
    auto store = Open(name, dir);
    for (int i = 0; i < 1000; ++i) {
      Group g;
      for (int j = 0; j < 1000; ++j) g.push_back({"c|acme.spend.daily.amount/day/person|p" + std::to_string(i * 1000 + j) + "|uUSD", std::string(40, 'a')});
      if (!store->Commit(g)) abort();
    }
    store.reset();
    uintmax_t bytes = 0;
    for (auto& f : fs::recursive_directory_iterator(dir)) bytes += f.is_regular_file() ? f.file_size() : 0;
    double start = Now();
    store = Open(name, dir);
    std::unordered_map<std::string, std::string> image;
    image.reserve(1'000'000);
    size_t n = 0;
    store->Each([&](std::string_view k, std::string_view v) { image.emplace(k, v), ++n; });
    printf("%-8s %zu counters read back in %.2f s, %ju MB on disk\n", name, n, Now() - start, bytes >> 20);
    fflush(stdout);
  }
}

// A child writes 4,000 acknowledged groups and is gone without closing; then a file is damaged, and another child reads.
static void Damage(const fs::path& dir) {
  auto child = [](auto body) {
    fflush(stdout);
    if (pid_t pid = fork(); pid != 0) {
      int status = 0;
      waitpid(pid, &status, 0);
      return status;
    }
    _exit(body());
  };
  struct Kind {
    const char* name;
    double where;  // of the file's used part
    bool cut;
  };
  for (const char* name : kNames)
    for (Kind kind : {Kind{"byte at 25 %", 0.25, false}, {"byte at 50 %", 0.5, false}, {"byte at 75 %", 0.75, false}, {"last 100 bytes cut", 1, true}}) {
      fs::remove_all(dir);
      child([&] {
        auto store = Open(name, dir);
        for (int i = 0; i < 4000; ++i) {
          Group g;
          g.push_back({"key-" + std::to_string(i), "value-" + std::to_string(i) + std::string(60, 'v')});
          if (!store->Commit(g)) return 1;
        }
        store.release();
        return 0;
      });
      // The file that holds most, up to its last byte that is not zero.
      fs::path target;
      for (auto& f : fs::recursive_directory_iterator(dir))
        if (f.is_regular_file() && f.path().filename() != "lock.mdb" && f.path().extension() != ".sst" &&
            (target.empty() || f.file_size() > fs::file_size(target)))
          target = f.path();
      int fd = open(target.c_str(), O_RDWR);
      std::string all(fs::file_size(target), 0);
      if (pread(fd, all.data(), all.size(), 0) < 0) abort();
      size_t used = all.find_last_not_of('\0') + 1;
      if (kind.cut) {
        if (ftruncate(fd, used - 100) != 0) abort();
      } else {
        size_t at = used * kind.where;
        while (all[at] == 0) ++at;
        char flipped = all[at] ^ 0x20;
        if (pwrite(fd, &flipped, 1, at) != 1) abort();
      }
      close(fd);
      int status = child([&] {
        auto store = Open(name, dir);
        int right = 0, wrong = 0;
        bool said = !store->Each([&](std::string_view k, std::string_view v) {
          std::string want = "value-" + std::string(k.substr(std::min<size_t>(4, k.size()))) + std::string(60, 'v');
          ++(k.starts_with("key-") && v == want ? right : wrong);
        });
        printf("%-8s %-18s in %-12s says damaged: %-3s  right %4d of 4000, wrong %d\n", name, kind.name, target.filename().c_str(), said ? "yes" : "NO", right, wrong);
        fflush(stdout);
        store.release();
        return 0;
      });
      if (WIFSIGNALED(status)) printf("%-8s %-18s in %-12s ended by signal %d\n", name, kind.name, target.filename().c_str(), WTERMSIG(status));
    }
  for (const char* name : kNames) {
    fs::remove_all(dir);
    int status = child([&] {
      signal(SIGXFSZ, SIG_IGN);
      auto store = Open(name, dir);
      rlimit small{2 << 20, 2 << 20};
      setrlimit(RLIMIT_FSIZE, &small);
      int done = 0;
      for (; done < 100000; ++done) {
        Group g;
        g.push_back({"key-" + std::to_string(done), std::string(600, 'v')});
        if (!store->Commit(g)) break;
      }
      printf("%-8s files of at most 2 MB: refused after %d commits", name, done);
      store.reset();
      store = Open(name, dir);
      int n = 0;
      bool good = store->Each([&](auto, auto) { ++n; });
      printf(", reopened: %s, %d rows\n", good ? "good" : "damaged", n);
      fflush(stdout);
      return 0;
    });
    if (WIFSIGNALED(status)) printf("%-8s files of at most 2 MB: ended by signal %d\n", name, WTERMSIG(status));
  }
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::string what = argv[1];
  fs::path dir = fs::path(argv[2]) / "stores-bench";
  if (what == "speed") Speed(dir);
  if (what == "recover") Recover(dir);
  if (what == "damage") Damage(dir);
  fs::remove_all(dir);
}
