// The request of decide_bench read as a programmer would read it who takes JSON seriously: any
// valid text, members in any order, those that nobody knows skipped, wrong types refused.
// RapidJSON's SAX reader, in place, with its check of the encoding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "tests/bench/by_hand.h"

namespace dpl {

class ByHandJson {
 public:
  // False: not JSON, or not such a request. What `*q` refers to lasts until the next call.
  bool Read(std::string_view body, ByHand::Asked* q) {
    text_.resize(body.size() + 1);
    std::memcpy(text_.data(), body.data(), body.size());
    text_[body.size()] = 0;
    Handler handler(q);
    rapidjson::InsituStringStream stream(text_.data());
    constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseValidateEncodingFlag;
    if (!reader_.Parse<kFlags>(stream, handler)) return false;
    return static_cast<size_t>(stream.Tell()) == body.size() && handler.Whole();
  }

 private:
  enum class In : uint8_t {
    kNowhere,
    kRoot,
    kSubject,
    kProperties,
    kAct,
    kAction,
    kResource,
    kOther
  };
  enum class Member : uint8_t {
    kOther,
    kSubject,
    kAction,
    kResource,
    kProperties,
    kAct,
    kType,
    kId,
    kName,
    kSub,
    kInstance,
    kIat
  };

  class Handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
   public:
    explicit Handler(ByHand::Asked* q) : q_(*q) { q_ = {}; }
    bool Whole() const { return seen_ == kAll; }

    bool StartObject() {
      if (in_ == In::kOther || (in_ != In::kNowhere && member_ == Member::kOther)) return Skip();
      switch (in_) {
        case In::kNowhere:
          in_ = In::kRoot;
          return true;
        case In::kRoot:
          in_ = member_ == Member::kSubject  ? In::kSubject
                : member_ == Member::kAction ? In::kAction
                                             : In::kResource;
          return true;
        case In::kSubject:
          in_ = In::kProperties;
          return member_ == Member::kProperties;
        case In::kProperties:
          in_ = In::kAct;
          return true;
        default:
          return false;  // where a text or a number belongs
      }
    }
    bool EndObject(rapidjson::SizeType) {
      switch (in_) {
        case In::kOther:
          if (--skipped_ == 0) in_ = around_;
          return true;
        case In::kRoot:
          in_ = In::kNowhere;
          return true;
        case In::kAct:
          in_ = In::kProperties;
          return true;
        case In::kProperties:
          in_ = In::kSubject;
          return true;
        default:
          in_ = In::kRoot;
          return true;
      }
    }
    bool StartArray() {
      return in_ == In::kOther || (in_ != In::kNowhere && member_ == Member::kOther) ? Skip()
                                                                                     : false;
    }
    bool EndArray(rapidjson::SizeType) {
      if (--skipped_ == 0) in_ = around_;
      return true;
    }
    bool Key(const char* text, rapidjson::SizeType size, bool) {
      if (in_ != In::kOther) member_ = MemberOf(in_, {text, size});
      return true;
    }
    bool String(const char* text, rapidjson::SizeType size, bool) {
      if (in_ == In::kOther || (in_ != In::kNowhere && member_ == Member::kOther)) return true;
      const std::string_view value(text, size);
      switch (member_) {
        case Member::kType:
          return in_ == In::kSubject ? Take(&q_.subject_type, value, 1) : Take(&q_.type, value, 2);
        case Member::kId:
          return in_ == In::kSubject ? Take(&q_.person, value, 4) : Take(&q_.resource, value, 8);
        case Member::kName:
          return Take(&q_.action, value, 16);
        case Member::kSub:
          return Take(&q_.agent, value, 32);
        case Member::kInstance:
          return Take(&q_.instance, value, 64);
        default:
          return false;
      }
    }
    bool Int64(int64_t number) {
      if (in_ == In::kOther || (in_ != In::kNowhere && member_ == Member::kOther)) return true;
      if (in_ != In::kAct || member_ != Member::kIat) return false;
      q_.born_s = number;
      return true;
    }
    bool Int(int number) { return Int64(number); }
    bool Uint(unsigned number) { return Int64(number); }
    bool Uint64(uint64_t number) {
      return Int64(static_cast<int64_t>(std::min<uint64_t>(number, INT64_MAX)));
    }
    bool Double(double number) {
      if (in_ == In::kAct && (number < -1e15 || number > 1e15)) return false;
      return Int64(static_cast<int64_t>(number));
    }
    // Null, true, false.
    bool Default() { return in_ == In::kOther || member_ == Member::kOther; }

   private:
    static constexpr uint8_t kAll = 127;

    static Member MemberOf(In in, std::string_view name) {
      switch (in) {
        case In::kRoot:
          return name == "subject"    ? Member::kSubject
                 : name == "action"   ? Member::kAction
                 : name == "resource" ? Member::kResource
                                      : Member::kOther;
        case In::kSubject:
          return name == "type"         ? Member::kType
                 : name == "id"         ? Member::kId
                 : name == "properties" ? Member::kProperties
                                        : Member::kOther;
        case In::kProperties:
          return name == "act" ? Member::kAct : Member::kOther;
        case In::kAct:
          return name == "sub"        ? Member::kSub
                 : name == "instance" ? Member::kInstance
                 : name == "iat"      ? Member::kIat
                                      : Member::kOther;
        case In::kAction:
          return name == "name" ? Member::kName : Member::kOther;
        case In::kResource:
          return name == "type" ? Member::kType : name == "id" ? Member::kId : Member::kOther;
        default:
          return Member::kOther;
      }
    }
    bool Take(std::string_view* out, std::string_view value, uint8_t bit) {
      *out = value;
      seen_ = static_cast<uint8_t>(seen_ | bit);
      return true;
    }
    bool Skip() {
      if (skipped_++ == 0) {
        around_ = in_;
        in_ = In::kOther;
      }
      return true;
    }

    ByHand::Asked& q_;
    In in_ = In::kNowhere, around_ = In::kNowhere;
    Member member_ = Member::kOther;
    uint8_t seen_ = 0;
    int skipped_ = 0;
  };

  std::vector<char> text_;
  rapidjson::Reader reader_;
};

}  // namespace dpl
