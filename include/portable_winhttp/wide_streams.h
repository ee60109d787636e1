/* Wide strings and streams of libstdc++ with characters of 16 bits: what is compiled into it has 32. It is a part of wchar16.h. */
#ifndef PORTABLE_WINHTTP_WIDE_STREAMS_H
#define PORTABLE_WINHTTP_WIDE_STREAMS_H

#ifdef PWH_LATE
#include <cwchar>
#if defined(_BASIC_STRING_H) || defined(_GLIBCXX_STRING)
/* It was said that its functions are in the library: here they are. */
template class std::basic_string<wchar_t>;
#endif
#endif

#include <iosfwd>

#if defined(__has_attribute)
#if __has_attribute(unavailable)
#define PWH_UNAVAILABLE(text) __attribute__((unavailable(text)))
#endif
#endif
#ifndef PWH_UNAVAILABLE
#define PWH_UNAVAILABLE(text) __attribute__((deprecated(text)))
#endif

namespace std {
#define PWH_CONSOLE(type, name) extern type name PWH_UNAVAILABLE("the wide console of the library has characters of 32 bits")
PWH_CONSOLE(wostream, wcout);
PWH_CONSOLE(wostream, wcerr);
PWH_CONSOLE(wostream, wclog);
PWH_CONSOLE(wistream, wcin);
#undef PWH_CONSOLE
#define PWH_FILES(name) typedef basic_##name<wchar_t> w##name PWH_UNAVAILABLE("wide files of the library have characters of 32 bits")
PWH_FILES(filebuf);
PWH_FILES(ifstream);
PWH_FILES(ofstream);
PWH_FILES(fstream);
#undef PWH_FILES
#if defined(PWH_LATE) && defined(_GLIBCXX_OSTREAM)
/* The library's are taken already. */
#define PWH_TEXTS(name) typedef basic_##name<wchar_t> w##name PWH_UNAVAILABLE("pass -include portable_winhttp/wchar16.h")
PWH_TEXTS(stringbuf);
PWH_TEXTS(istringstream);
PWH_TEXTS(ostringstream);
PWH_TEXTS(stringstream);
#undef PWH_TEXTS
#endif
}

#if !defined(PWH_LATE) || !(defined(_GLIBCXX_OSTREAM) || defined(_GLIBCXX_ISTREAM))
#include <istream>
#include <sstream>
#include <string>

/* A number as the narrow streams write it. */
template <class Value> std::wostream &pwh_insert(std::wostream &out, Value value)
{
    std::wostream::sentry ready(out);
    if (ready) {
        std::ostringstream narrow;
        narrow.flags(out.flags());
        narrow.precision(out.precision());
        narrow.width(out.width());
        /* No number has this sign. */
        narrow.fill('_');
        narrow << value;
        out.width(0);
        std::string text = narrow.str();
        for (std::string::size_type at = 0; at < text.size(); at++) {
            wchar_t unit = text[at] == '_' ? out.fill() : static_cast<wchar_t>(static_cast<unsigned char>(text[at]));
            if (out.rdbuf()->sputc(unit) == std::char_traits<wchar_t>::eof()) {
                out.setstate(std::ios_base::badbit);
                break;
            }
        }
    }
    return out;
}

namespace std {
#define PWH_INSERTS(type) \
    template <> template <> inline wostream &wostream::_M_insert(type value) { return pwh_insert(*this, value); }
PWH_INSERTS(bool)
PWH_INSERTS(long)
PWH_INSERTS(unsigned long)
__extension__ PWH_INSERTS(long long)
__extension__ PWH_INSERTS(unsigned long long)
PWH_INSERTS(double)
PWH_INSERTS(long double)
PWH_INSERTS(const void *)
#undef PWH_INSERTS

#define PWH_NO_NUMBERS __attribute__((PWH_ERROR("numbers out of wide streams: the library's functions have characters of 32 bits")))
#define PWH_EXTRACTS(type) template <> template <> wistream &wistream::_M_extract(type &value) PWH_NO_NUMBERS
PWH_EXTRACTS(bool);
PWH_EXTRACTS(unsigned short);
PWH_EXTRACTS(unsigned);
PWH_EXTRACTS(long);
PWH_EXTRACTS(unsigned long);
__extension__ PWH_EXTRACTS(long long);
__extension__ PWH_EXTRACTS(unsigned long long);
PWH_EXTRACTS(float);
PWH_EXTRACTS(double);
PWH_EXTRACTS(long double);
PWH_EXTRACTS(void *);
template <> wistream &wistream::operator>>(short &value) PWH_NO_NUMBERS;
template <> wistream &wistream::operator>>(int &value) PWH_NO_NUMBERS;
#undef PWH_EXTRACTS
#undef PWH_NO_NUMBERS

template <> inline wistream &wistream::getline(wchar_t *text, streamsize room, wchar_t end)
{
    wistream::sentry ready(*this, true);
    ios_base::iostate state = ios_base::goodbit;
    _M_gcount = 0;
    if (ready) {
        for (;;) {
            int_type next = rdbuf()->sgetc();
            if (traits_type::eq_int_type(next, traits_type::eof())) {
                state |= ios_base::eofbit;
                break;
            }
            if (traits_type::to_char_type(next) == end) {
                rdbuf()->sbumpc();
                _M_gcount++;
                break;
            }
            if (_M_gcount + 1 >= room) {
                state |= ios_base::failbit;
                break;
            }
            *text++ = traits_type::to_char_type(next);
            rdbuf()->sbumpc();
            _M_gcount++;
        }
    }
    if (room > 0)
        *text = 0;
    if (!_M_gcount)
        state |= ios_base::failbit;
    setstate(state);
    return *this;
}
template <> inline wistream &wistream::ignore(streamsize count, int_type end)
{
    wistream::sentry ready(*this, true);
    _M_gcount = 0;
    while (ready && (count == 0x7fffffffffffffff || _M_gcount < count)) {
        int_type next = rdbuf()->sbumpc();
        if (traits_type::eq_int_type(next, traits_type::eof())) {
            setstate(ios_base::eofbit);
            break;
        }
        _M_gcount++;
        if (traits_type::eq_int_type(next, end))
            break;
    }
    return *this;
}
template <> inline wistream &wistream::ignore(streamsize count)
{
    return ignore(count, traits_type::eof());
}
template <> inline wistream &getline(wistream &in, wstring &text, wchar_t end)
{
    wistream::sentry ready(in, true);
    ios_base::iostate state = ios_base::goodbit;
    bool any = false;
    if (ready) {
        text.clear();
        for (;;) {
            wistream::int_type next = in.rdbuf()->sbumpc();
            if (wistream::traits_type::eq_int_type(next, wistream::traits_type::eof())) {
                state |= ios_base::eofbit;
                break;
            }
            any = true;
            if (wistream::traits_type::to_char_type(next) == end)
                break;
            text.push_back(wistream::traits_type::to_char_type(next));
        }
    }
    if (!any)
        state |= ios_base::failbit;
    in.setstate(state);
    return in;
}
}
#endif

#if __cplusplus >= 201103L
#include <codecvt>
#include <locale>
#include <stdexcept>
namespace std {
/* Between UTF-16 and UTF-8, whichever of the library's facets is named: those have characters of 32 bits. */
template <class Codecvt, class WideAllocator, class ByteAllocator>
class wstring_convert<Codecvt, wchar_t, WideAllocator, ByteAllocator> {
    template <class Facet> struct Other : false_type {
    };
    template <unsigned long Most, codecvt_mode Mode> struct Other<codecvt_utf16<wchar_t, Most, Mode>> : true_type {
    };
    static_assert(!Other<Codecvt>::value, "UTF-16 as bytes is not converted");

public:
    typedef basic_string<char, char_traits<char>, ByteAllocator> byte_string;
    typedef basic_string<wchar_t, char_traits<wchar_t>, WideAllocator> wide_string;
    typedef typename Codecvt::state_type state_type;
    typedef typename wide_string::traits_type::int_type int_type;

    wstring_convert() : tells_(false), converted_(0) {}
    explicit wstring_convert(const byte_string &bytes, const wide_string &wide = wide_string())
        : bytes_(bytes), wide_(wide), tells_(true), converted_(0)
    {
    }
    wstring_convert(const wstring_convert &) = delete;
    wstring_convert &operator=(const wstring_convert &) = delete;

    wide_string from_bytes(char byte) { return from_bytes(&byte, &byte + 1); }
    wide_string from_bytes(const char *text) { return from_bytes(text, text + char_traits<char>::length(text)); }
    wide_string from_bytes(const byte_string &text) { return from_bytes(text.data(), text.data() + text.size()); }
    wide_string from_bytes(const char *first, const char *last)
    {
        wide_string made;
        const char *start = first;
        while (first != last) {
            unsigned char lead = static_cast<unsigned char>(*first);
            int more = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
            unsigned long point = more <= 0 ? lead : lead & (0x3fu >> more);
            bool good = more >= 0 && last - first > more;
            for (int at = 1; good && at <= more; at++) {
                good = (static_cast<unsigned char>(first[at]) & 0xc0) == 0x80;
                point = point << 6 | (static_cast<unsigned char>(first[at]) & 0x3f);
            }
            good = good && !(more == 2 && (point < 0x800 || (point & 0xf800) == 0xd800))
                && !(more == 3 && (point < 0x10000 || point > 0x10ffff));
            if (!good) {
                converted_ = first - start;
                if (tells_)
                    return wide_;
                throw range_error("wstring_convert::from_bytes");
            }
            if (point >= 0x10000) {
                made.push_back(static_cast<wchar_t>(0xd7c0 + (point >> 10)));
                point = 0xdc00 | (point & 0x3ff);
            }
            made.push_back(static_cast<wchar_t>(point));
            first += more + 1;
        }
        converted_ = last - start;
        return made;
    }
    byte_string to_bytes(wchar_t unit) { return to_bytes(&unit, &unit + 1); }
    byte_string to_bytes(const wchar_t *text) { return to_bytes(text, text + char_traits<wchar_t>::length(text)); }
    byte_string to_bytes(const wide_string &text) { return to_bytes(text.data(), text.data() + text.size()); }
    byte_string to_bytes(const wchar_t *first, const wchar_t *last)
    {
        byte_string made;
        const wchar_t *start = first;
        for (; first != last; first++) {
            unsigned long point = *first;
            if ((point & 0xf800) == 0xd800) {
                if (point >= 0xdc00 || last - first < 2 || (first[1] & 0xfc00) != 0xdc00) {
                    converted_ = first - start;
                    if (tells_)
                        return bytes_;
                    throw range_error("wstring_convert::to_bytes");
                }
                point = 0x10000 + ((point & 0x3ff) << 10) + (*++first & 0x3ff);
            }
            int more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
            made.push_back(static_cast<char>(more ? (0xff00u >> (more + 1) & 0xff) | point >> 6 * more : point));
            while (more-- > 0)
                made.push_back(static_cast<char>(0x80 | (point >> 6 * more & 0x3f)));
        }
        converted_ = last - start;
        return made;
    }
    size_t converted() const noexcept { return converted_; }
    state_type state() const { return state_type(); }

private:
    byte_string bytes_;
    wide_string wide_;
    bool tells_;
    size_t converted_;
};

#ifdef __GLIBCXX__
/* What paths of std::filesystem convert by: chosen before the library's templates. */
inline bool __str_codecvt_out_all(
    const wchar_t *first, const wchar_t *last, string &text, const codecvt<wchar_t, char, mbstate_t> &)
{
    wstring_convert<codecvt_utf8<wchar_t>> conversion("", L"");
    text = conversion.to_bytes(first, last);
    return conversion.converted() == static_cast<size_t>(last - first);
}
inline bool __str_codecvt_in_all(
    const char *first, const char *last, wstring &text, const codecvt<wchar_t, char, mbstate_t> &)
{
    wstring_convert<codecvt_utf8<wchar_t>> conversion("", L"");
    text = conversion.from_bytes(first, last);
    return conversion.converted() == static_cast<size_t>(last - first);
}

/* Incomplete: wide regular expressions compare by facets with 32 bits. */
#if _GLIBCXX_USE_CXX11_ABI
inline namespace __cxx11 {
#endif
template <class Character> class regex_traits;
template <> class regex_traits<wchar_t>;
#if _GLIBCXX_USE_CXX11_ABI
}
#endif
#endif
}
#endif

#endif
