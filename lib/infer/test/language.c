/* SPDX-License-Identifier: Apache-2.0 */
/* Chats in any language, and in several: what is said is theirs, and nothing breaks. */
#include "chat.h"

static void assert_told(const struct line *lines, size_t count, const char *const *wants)
{
    struct pp_infer_chat chat = chat_of(lines, count, 130);
    struct pp_infer_items items = summary_of(&chat);

    for (; *wants != NULL; wants++)
        if (!says(&items, *wants)) {
            print_items(&items);
            fail_msg("not told: %s", *wants);
        }
}

#define TOLD(lines, ...)                                                                           \
    assert_told((lines), PP_ARRAY_COUNT(lines), (const char *const[]){ __VA_ARGS__, NULL })

static void a_german_chat_is_told_in_german(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "Elternabend ist am Dienstag, 5. Mai um 19:30 Uhr in der Aula" },
        { 1, "Wer bringt den Beamer mit?" },
        { 2, "Ich bringe meinen mit" },
        { 0, "Achtung: der Haupteingang ist gesperrt" },
    };
    TOLD(lines, "Dienstag, 5. Mai um 19:30 Uhr", "Ich bringe meinen mit", "gesperrt");
}

static void a_french_chat_is_told_in_french(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "La réunion est déplacée au jeudi 12 mars à 18h30, salle B" },
        { 1, "Qui apporte le projecteur ?" },
        { 2, "Je peux apporter le mien" },
        { 0, "Attention : la porte ferme à 19h" },
    };
    TOLD(lines, "jeudi 12 mars à 18h30", "Je peux apporter le mien", "la porte ferme à 19h");
}

static void a_spanish_chat_is_told_in_spanish(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "La reunión es el martes 5 de mayo a las 20:00 en mi casa" },
        { 1, "¿Quién trae las sillas?" },
        { 2, "Yo traigo seis sillas" },
        { 0, "Recordad: está prohibido aparcar en la plaza" },
    };
    TOLD(lines, "martes 5 de mayo a las 20:00", "Yo traigo seis sillas", "prohibido aparcar");
}

static void an_arabic_chat_is_told_with_its_questions_and_answers(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "الاجتماع يوم الخميس الساعة 18:30 في المكتبة" },
        { 1, "سأحضر القهوة والكعك" },
        { 0, "من سيحجز القاعة؟" },
        { 2, "سأحجزها غدا" },
    };
    TOLD(lines, "18:30 في المكتبة", "من سيحجز القاعة?", "سأحجزها غدا");
}

static void a_japanese_chat_is_told_although_it_has_no_spaces(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "土曜日の会議は10:00から図書館で始まります。" },
        { 1, "私がプロジェクターを持っていきます。" },
        { 2, "私が12:30に予約します" },
    };
    TOLD(lines, "10:00から図書館で始まります", "12:30に予約します");
}

static void a_thai_chat_is_told_although_it_has_no_spaces(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "ประชุมวันศุกร์เวลา 14:00 ที่ห้องสมุด" },
        { 1, "👍" },
    };
    TOLD(lines, "14:00 ที่ห้องสมุด");
}

static void languages_may_change_from_message_to_message(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "ok team, la reunión es el lunes 4 de mayo at 9:00" },
        { 1, "parfait, je prépare les slides" },
        { 2, "Ich buche den Raum für Montag, 9 Uhr" },
        { 0, "今日は18:00まで" },
        { 3, "הפגישה ביום ראשון בשעה 20:00" },
    };
    TOLD(lines, "lunes 4 de mayo at 9:00", "je prépare les slides", "Montag, 9 Uhr", "18:00",
         "20:00");
}

static void pictures_alone_are_no_summary(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "😀😀😀" }, { 1, "👍" }, { 0, "🎉🎂" }, { 2, "❤️❤️" }
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    assert_int_equal(summary_of(&chat).count, 0);
}

static void a_request_may_name_any_language(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "soll das Zelt für 90 in den Garten?" },
        { 1, "da haben wir noch nichts entschieden" },
    };
    static const char *const tags[] = { "", "en", "de", "fr", "es", "ja", "xx", "zzzzzzzz" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(tags); i++) {
        struct pp_infer_chat chat = CHAT(lines, 130);
        chat.language = pp_span_cstr(tags[i]);
        struct pp_infer_items items = summary_of(&chat);
        assert_true(says(&items, "Zelt"));
    }
}

static void words_end_where_an_unspaced_script_changes(void **state)
{
    (void)state;
    static const char text[] = "会議はホール3で";
    static const char *const want[] = { "会議", "は", "ホール", "3", "で" };
    struct pp_span whole = pp_span_cstr(text);
    size_t at = 0;
    struct infer_token t;

    for (size_t i = 0; i < PP_ARRAY_COUNT(want); i++) {
        assert_true(infer_token_next(whole, &at, &t));
        assert_int_equal(t.len, strlen(want[i]));
        assert_memory_equal(text + t.at, want[i], t.len);
    }
    assert_false(infer_token_next(whole, &at, &t));
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_german_chat_is_told_in_german),
    cmocka_unit_test(a_french_chat_is_told_in_french),
    cmocka_unit_test(a_spanish_chat_is_told_in_spanish),
    cmocka_unit_test(an_arabic_chat_is_told_with_its_questions_and_answers),
    cmocka_unit_test(a_japanese_chat_is_told_although_it_has_no_spaces),
    cmocka_unit_test(a_thai_chat_is_told_although_it_has_no_spaces),
    cmocka_unit_test(languages_may_change_from_message_to_message),
    cmocka_unit_test(pictures_alone_are_no_summary),
    cmocka_unit_test(a_request_may_name_any_language),
    cmocka_unit_test(words_end_where_an_unspaced_script_changes),
};

PP_TEST_MAIN(TESTS)
